#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace weir {

/// A plugin file as reported by one live process: a row of weir.plugins.
struct ReportedPlugin {
  std::string host{};
  int pid = 0;
  std::string path{};
  std::string sha256{};  ///< empty when the file was refused before it was read
  std::string plugin{};  ///< the manifest's name; empty when the manifest was not read
  std::string version{};
  std::vector<std::string> flows{};
  std::string state{};  ///< live, former, refused, quarantined, unload_pinned
  bool isolated = false;
  std::string kind{}, detail{}, hint{};  ///< the reason, when it is neither live nor former
  std::optional<Time> until{};           ///< the end of its quarantine
  int pending_calls = 0;                 ///< former: deferred calls that keep its code loaded
};

/// A process that reports its plugins.
struct ReportingProcess {
  std::string host{};
  int pid = 0;
  Time started_at{};
};

}  // namespace weir
