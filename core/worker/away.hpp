#pragma once
#include <weir/result.hpp>

namespace weir {

/// Whether the error says that the database is away, or went away during a call: the same call may
/// succeed a moment later.
inline bool is_away(const Error& error) noexcept {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::in_doubt;
}

/// Whether a transaction of somebody else has locked what the call needs. The database is there.
inline bool is_locked(const Error& error) noexcept {
  return error.code == ErrorCode::unavailable && error.kind == "try_again";
}

}  // namespace weir
