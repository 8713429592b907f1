#pragma once
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "base/log.hpp"
#include "config/config.hpp"

namespace weir {

/// What a process of `weir serve` takes from the program that it is a face of.
struct ProcessSetup {
  /// Where it logs, as its configuration says.
  std::function<std::shared_ptr<Log>(const LogConfig&)> make_log;
  /// Shows why it cannot go on, and gives the exit status that says the same.
  std::function<int(const Error&)> fail;
};

}  // namespace weir
