#pragma once
#include <optional>
#include <string>
#include <vector>

namespace weir::cli {

struct Start {
  std::string flow;
  std::string input = "null";  ///< JSON, @FILE, or - for stdin
  std::optional<std::string> key;
  std::optional<std::string> delay;
  std::optional<std::string> at;
  int priority = 0;
  std::vector<std::string> tags;
  std::optional<int> version;
  bool wait = false;
  bool json = false;
};

}  // namespace weir::cli
