#pragma once
#include "base/error.hpp"

namespace weir::cli {

/// The exit codes of the program; `weir --help` explains them.
enum class ExitCode {
  ok = 0,
  failed = 1,       ///< the command is correct but cannot be done, or the run failed
  usage = 2,        ///< the command line, the input or flows.yaml has a mistake
  unavailable = 3,  ///< the database cannot be reached or used; this may be temporary
};

constexpr ExitCode exit_code(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_input:
      return ExitCode::usage;
    case ErrorCode::unavailable:
    case ErrorCode::in_doubt:
      return ExitCode::unavailable;
    default:
      return ExitCode::failed;
  }
}

}  // namespace weir::cli
