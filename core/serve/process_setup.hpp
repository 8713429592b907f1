#pragma once
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/config.hpp"

namespace weir {

/// What a process of `weir serve` gets from the program that implements all of them.
struct ProcessSetup {
  /// Makes its log, as configured.
  std::function<std::shared_ptr<Log>(const LogConfig&)> make_log;
  /// Shows an error because of which the process ends, and returns the exit status for it.
  std::function<int(const Error&)> fail;
};

}  // namespace weir
