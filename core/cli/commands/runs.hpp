#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weir::cli {

struct RunsList {
  std::optional<std::string> flow;
  std::optional<std::string> status;
  std::optional<std::string> tag;
  std::optional<std::string> since, until;   ///< a time, or a duration back from now
  std::optional<std::string> input, output;  ///< JSON, @FILE, or -: contained in the run's value
  std::int64_t limit = 20;
  bool json = false;
};

struct RunsShow {
  std::string id;
  bool json = false;
};

struct RunsWatch {
  std::string id;
};

struct RunsCancel {
  std::vector<std::string> ids;
  std::string reason = "cancelled by command";
  bool json = false;
};

struct RunsRetry {
  std::vector<std::string> ids;
  bool json = false;
};

struct RunsSignal {
  std::string id, name;
  std::string payload = "null";  ///< JSON, @FILE, or - for stdin
  bool json = false;
};

}  // namespace weir::cli
