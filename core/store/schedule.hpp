#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/time.hpp"

namespace weir {

/// A flow that is started whenever a cron expression is due (C5).
struct ScheduleSpec {
  std::string name{};
  std::string flow{};             ///< slug; it need not be known yet
  std::string cron{};             ///< five fields, @daily …, or @every 90s
  std::string time_zone = "UTC";  ///< as PostgreSQL names it: Europe/Berlin
  Json input{};
  int priority = 0;  ///< −100 … 100
  std::vector<std::string> tags{};
  std::string missed = "run";  ///< one run for all ticks that no process started in time; or "skip"
  bool paused = false;
};

/// A row of weir.schedules.
struct ScheduleReport {
  ScheduleSpec spec{};
  std::string status{};  ///< active, paused, or waiting (its flow is not known)
  std::optional<Time> next_at{}, last_at{};
  std::string last_run{};  ///< UUID of the run that the last tick started; or empty
  std::string error{};     ///< why it waits, or why the last tick was refused
};

/// What one tick() of the schedules did.
struct TickReport {
  std::int64_t started = 0;
  Time now{};                     ///< the database's
  std::optional<Time> next_at{};  ///< when the next schedule is due
};

}  // namespace weir
