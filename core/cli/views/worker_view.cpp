#include "cli/views/worker_view.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/iso8601.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/times.hpp"

namespace weir::cli {

std::string_view worker_state(const WorkerReport& worker) noexcept {
  if (worker.alive) return "alive";
  return worker.end_reason.empty() ? "lapsed" : std::string_view(worker.end_reason);
}

std::string workers_text(std::span<const WorkerReport> workers, Time now,
                         const Terminal& terminal) {
  Table table({{"WORKER", Table::Column::right},
               {"HOST"},
               {"PID", Table::Column::right},
               {"STATE", Table::Column::whole},
               {"SINCE", Table::Column::whole},
               {"RUNS", Table::Column::right},
               {"BUSY", Table::Column::right}});
  for (const WorkerReport& worker : workers)
    table.add({{fmt::format("{}", worker.id), Tone::strong},
               {worker.host},
               {fmt::format("{}", worker.pid)},
               {std::string(worker_state(worker)), worker.alive                  ? Tone::good
                                                   : worker.end_reason == "left" ? Tone::faint
                                                                                 : Tone::bad},
               {shown_age(now - worker.ended_at.value_or(worker.alive ? worker.started_at
                                                                      : worker.lease_until))},
               {worker.alive ? fmt::format("{}", worker.runs) : ""},
               {worker.alive ? fmt::format("{}/{}", worker.in_flight, worker.slots) : ""}});
  return table.text(terminal);
}

Json worker_json(const WorkerReport& worker) {
  return Json::object(std::vector<std::pair<std::string, Json>>{
      {"worker_id", Json::number(worker.id)},
      {"host", Json::string(worker.host)},
      {"pid", Json::number(worker.pid)},
      {"state", Json::string(worker_state(worker))},
      {"slots", Json::number(worker.slots)},
      {"in_flight", Json::number(worker.in_flight)},
      {"runs", Json::number(worker.runs)},
      {"started_at", Json::string(iso8601(worker.started_at))},
      {"lease_until", Json::string(iso8601(worker.lease_until))},
      {"ended_at", worker.ended_at ? Json::string(iso8601(*worker.ended_at)) : Json()}});
}

}  // namespace weir::cli
