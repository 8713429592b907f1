#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace weir {

/// What the operator says about how many runs of a flow go on at once (C6), and how many begin in a
/// time; both of all of them, and of those with the same text at one place of their input.
struct FlowLimits {
  std::optional<std::int64_t> max_running{};
  std::optional<std::string> rate{};  ///< "100/1m"
  std::optional<std::string> key{};   ///< JSON pointer: /customer_id
  std::optional<std::int64_t> key_max_running{};
  std::optional<std::string> key_rate{};

  bool operator==(const FlowLimits&) const = default;
};

}  // namespace weir
