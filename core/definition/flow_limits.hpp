#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace weir {

/// The operator's limits for a flow (C6): how many of its runs go on at once, and how many begin
/// per interval; each for all runs of the flow, and for the runs with the same key, which is the
/// text at one place of their input.
struct FlowLimits {
  std::optional<std::int64_t> max_running{};
  std::optional<std::string> rate{};  ///< "100/1m"
  std::optional<std::string> key{};   ///< JSON pointer: /customer_id
  std::optional<std::int64_t> key_max_running{};
  std::optional<std::string> key_rate{};

  bool operator==(const FlowLimits&) const = default;
};

}  // namespace weir
