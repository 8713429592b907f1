#pragma once
#include <cerrno>
#include <cstdlib>
#include <expected>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"

namespace weir::bench {

/// Ends the program: a benchmark whose work fails measures nothing.
[[noreturn]] inline void fail(std::string_view message) {
  fmt::print(stderr, "{}: {}\n", program_invocation_short_name, message);
  std::exit(1);
}

/// What `result` holds; ends the program where it holds an error.
template <class T, class E>
T required(std::expected<T, E> result) {
  if (!result) fail(to_string(result.error()));
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace weir::bench
