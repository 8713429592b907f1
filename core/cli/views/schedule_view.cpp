#include "cli/views/schedule_view.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/iso8601.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/times.hpp"

namespace weir::cli {
namespace {

Tone tone_of(const std::string& status) {
  if (status == "active") return Tone::good;
  return status == "paused" ? Tone::faint : Tone::busy;
}

Json optional(const std::optional<Time>& time) {
  return time ? Json::string(iso8601(*time)) : Json();
}

Json optional(const std::string& text) { return text.empty() ? Json() : Json::string(text); }

}  // namespace

std::string shown_wait(Duration wait) {
  return wait <= Duration(0)
             ? "now"
             : "in " + shown_duration(std::chrono::ceil<std::chrono::seconds>(wait));
}

std::string schedules_text(std::span<const ScheduleReport> schedules, Time now,
                           const Terminal& terminal) {
  Table table({{"NAME"},
               {"FLOW"},
               {"CRON"},
               {"TIME ZONE"},
               {"STATUS", Table::Column::whole},
               {"NEXT", Table::Column::whole},
               {"LAST", Table::Column::whole},
               {"ERROR"}});
  for (const ScheduleReport& each : schedules)
    table.add({{each.spec.name, Tone::strong},
               {each.spec.flow},
               {each.spec.cron},
               {each.spec.time_zone, Tone::faint},
               {each.status, tone_of(each.status)},
               {each.next_at ? shown_wait(*each.next_at - now) : ""},
               {each.last_at ? shown_age(now - *each.last_at) : ""},
               {each.error, Tone::bad}});
  return table.text(terminal);
}

Json schedule_json(const ScheduleReport& schedule) {
  std::vector<Json> tags;
  for (const std::string& tag : schedule.spec.tags) tags.push_back(Json::string(tag));
  return Json::object(std::vector<std::pair<std::string, Json>>{
      {"name", Json::string(schedule.spec.name)},
      {"flow", Json::string(schedule.spec.flow)},
      {"cron", Json::string(schedule.spec.cron)},
      {"time_zone", Json::string(schedule.spec.time_zone)},
      {"status", Json::string(schedule.status)},
      {"next_at", optional(schedule.next_at)},
      {"last_at", optional(schedule.last_at)},
      {"last_run", optional(schedule.last_run)},
      {"input", schedule.spec.input},
      {"priority", Json::number(schedule.spec.priority)},
      {"tags", Json::array(tags)},
      {"missed", Json::string(schedule.spec.missed)},
      {"error", optional(schedule.error)}});
}

}  // namespace weir::cli
