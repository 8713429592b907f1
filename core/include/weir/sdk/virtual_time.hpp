#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include <weir/abi/plugin.h>
#include <weir/abi/virtual_time.h>
#include <weir/sdk/extension.hpp>

namespace weir::sdk {

/// Lets that much of the attempt's virtual time pass, at once. True: it passed; false: the work should
/// stop, already or since its timeout was reached meanwhile. nullopt: this host has no virtual time,
/// so wait. An awaitable calls it before it suspends, and does not suspend when it returns a value.
/// [any thread]
inline std::optional<bool> pass_virtual_time(const weir_host& host, weir_call* call,
                                             std::chrono::nanoseconds duration) {
  const auto* const time = extension_of<weir_virtual_time>(host, WEIR_VIRTUAL_TIME_V1);
  if (time == nullptr) return std::nullopt;
  const std::int64_t count = std::max<std::int64_t>(duration.count(), 0);
  return time->pass(call, static_cast<std::uint64_t>(count)) == WEIR_OK;
}

}  // namespace weir::sdk
