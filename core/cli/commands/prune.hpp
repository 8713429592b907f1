#pragma once
#include <optional>
#include <string>

namespace weir::cli {

struct Prune {
  std::optional<std::string> older_than;  ///< default: the retention of flows.yaml
  std::optional<std::string> flow;
  bool dry_run = false;
  bool json = false;
};

}  // namespace weir::cli
