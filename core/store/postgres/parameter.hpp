#pragma once
#include <chrono>
#include <concepts>
#include <optional>
#include <string>

#include "base/iso8601.hpp"
#include "base/json.hpp"

namespace weir::postgres {

// A statement's parameter as text; NULL for nullopt.

template <std::integral Number>
std::optional<std::string> parameter(const std::optional<Number>& number) {
  return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

inline std::optional<std::string> parameter(const std::optional<std::chrono::milliseconds>& span) {
  return span ? std::optional(std::to_string(span->count())) : std::nullopt;
}

inline std::optional<std::string> parameter(const std::optional<Time>& time) {
  return time ? std::optional(iso8601(*time)) : std::nullopt;
}

inline std::optional<std::string> parameter(const std::optional<Json>& json) {
  return json ? std::optional(std::string(json->text())) : std::nullopt;
}

}  // namespace weir::postgres
