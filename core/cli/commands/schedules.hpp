#pragma once
#include <string>
#include <vector>

namespace weir::cli {

struct SchedulesList {
  bool json = false;
};

struct SchedulesAdd {
  std::string name, flow, cron;
  std::string input = "null";  ///< JSON, @FILE, or - for stdin
  std::string time_zone = "UTC";
  int priority = 0;
  std::vector<std::string> tags;
  std::string missed = "run";
  bool paused = false;
  bool json = false;
};

struct SchedulesRemove {
  std::string name;
};

struct SchedulesPause {
  std::string name;
};

struct SchedulesResume {
  std::string name;
};

}  // namespace weir::cli
