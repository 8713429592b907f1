#pragma once
#include <weir/supervisor/child.hpp>

#include "base/error.hpp"

namespace weir {

/// The exception that is being handled, which nobody below foresaw, as the error with which a program
/// ends. Call it in a catch clause.
inline Error unforeseen_error() {
  Error error = supervisor::error_of_exception();
  if (error.code == ErrorCode::internal) error.hint = "this is a bug in weir: please report it";
  return error;
}

}  // namespace weir
