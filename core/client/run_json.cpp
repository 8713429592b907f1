#include "client/run_json.hpp"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "base/iso8601.hpp"

namespace weir {
namespace {

using Members = std::vector<std::pair<std::string, Json>>;

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json::string(*text) : Json();
}
Json time_or_null(const std::optional<Time>& time) {
  return time ? Json::string(iso8601(*time)) : Json();
}
Json number(std::int64_t value) { return Json::trusted(std::to_string(value)); }

Json step_json(const StepReport& step) {
  Members members = {{"slug", Json::string(step.slug)},
                     {"kind", Json::string(step.kind)},
                     {"status", Json::string(step.status)},
                     {"tasks", step.tasks ? number(*step.tasks) : Json()},
                     {"tasks_completed", number(step.tasks_completed)},
                     {"attempts", number(step.attempts)},
                     {"output", step.output.value_or(Json())},
                     {"error", text_or_null(step.error)},
                     {"skip_reason", text_or_null(step.skip_reason)},
                     {"started_at", time_or_null(step.started_at)},
                     {"ended_at", time_or_null(step.ended_at)},
                     {"signal", text_or_null(step.signal)},
                     {"until", time_or_null(step.until)},
                     {"child_run", text_or_null(step.child_run)},
                     {"retried", number(step.retried)}};
  return Json::object(members);
}

Members summary_members(const RunSummary& summary) {
  std::vector<Json> tags;
  for (const std::string& tag : summary.tags) tags.push_back(Json::string(tag));
  return {{"run_id", Json::string(summary.id)},
          {"flow", Json::string(summary.flow)},
          {"version", number(summary.version)},
          {"status", Json::string(summary.status)},
          {"error", text_or_null(summary.error)},
          {"created_at", Json::string(iso8601(summary.created_at))},
          {"started_at", time_or_null(summary.started_at)},
          {"ended_at", time_or_null(summary.ended_at)},
          {"priority", number(summary.priority)},
          {"tags", Json::array(tags)},
          {"note", text_or_null(summary.note)},
          {"parent_run", text_or_null(summary.parent_run)}};
}

}  // namespace

Json run_json(const RunSummary& summary) { return Json::object(summary_members(summary)); }

Json run_json(const RunReport& report) {
  Members members = summary_members(report.summary);
  std::vector<Json> steps;
  for (const StepReport& step : report.steps) steps.push_back(step_json(step));
  members.emplace_back("input", report.input);
  members.emplace_back("output", report.output.value_or(Json()));
  members.emplace_back("waits_for", text_or_null(report.waits_for));
  members.emplace_back("steps", Json::array(steps));
  return Json::object(members);
}

}  // namespace weir
