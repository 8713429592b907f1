#pragma once
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <weir/result.hpp>

/// The errors of SharedHandles, for when there is no handle to give.
namespace weir::registry {

/// A key in a message: text in quotes, numbers, what to_string() makes of it, or else "a handle".
template <class Key>
std::string text_of(const Key& key) {
  if constexpr (std::is_convertible_v<const Key&, std::string_view>) {
    return "\"" + std::string(std::string_view(key)) + "\"";
  } else if constexpr (std::is_arithmetic_v<Key>) {
    return std::to_string(key);
  } else if constexpr (requires { std::string(to_string(key)); }) {
    return to_string(key);
  } else {
    return "a handle";
  }
}

template <class Key>
Error start_timeout(const Key& key) {
  return {.code = ErrorCode::unavailable,
          .kind = "start_timeout",
          .message = "the start of " + text_of(key) + " was not over when the deadline passed",
          .hint = "it continues: ask again, or wait longer"};
}

template <class Key>
Error end_timeout(const Key& key) {
  return {.code = ErrorCode::unavailable,
          .kind = "end_timeout",
          .message = text_of(key) + " was stopped and had not ended when the deadline passed",
          .hint = "it ends when its last user releases it: ask again, or wait longer"};
}

template <class Key>
Error wait_cancelled(const Key& key) {
  return {.code = ErrorCode::unavailable,
          .kind = "cancelled",
          .message = "the wait for the start of " + text_of(key) + " was cancelled"};
}

template <class Key>
Error stopped(const Key& key) {
  return {.code = ErrorCode::unavailable,
          .kind = "stopped",
          .message = text_of(key) + " was stopped while it started",
          .hint = "ask again to start it again"};
}

template <class Key>
Error died(const Key& key) {
  return {.code = ErrorCode::unavailable,
          .kind = "died",
          .message = text_of(key) + " died while it started",
          .hint = "ask again to start it again"};
}

template <class Key>
Error not_started(const Key& key) {
  return {.code = ErrorCode::unavailable,
          .kind = "not_started",
          .message = text_of(key) + " is not started: its registry was shut down"};
}

template <class Key>
Error start_failed(const Key& key, std::string_view why) {
  return {.code = ErrorCode::unavailable,
          .kind = "start_failed",
          .message = text_of(key) + " could not be started: " + std::string(why)};
}

/// `path`: the wanted key, "which waits for" the next, up to one that the calling thread is starting,
/// or ending.
inline Error would_deadlock(const std::string& path, bool ending) {
  return {.code = ErrorCode::conflict,
          .kind = "would_deadlock",
          .message = std::string("waiting would never end: this thread is ") +
                     (ending ? "ending" : "starting") + " what it asks for, " + path,
          .hint = ending ? "the end of a handle must not need, directly or indirectly, its own key"
                         : "a factory must not need, directly or indirectly, what it is starting"};
}

}  // namespace weir::registry
