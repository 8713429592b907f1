#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/plugin_error.hpp"

/// What scanner and child tell each other: messages on a SOCK_SEQPACKET pair, each whole or not at
/// all. The scanner begins with a token; every message of the child begins with it, so that what a
/// plugin writes to descriptors it found is nobody's verdict.
namespace weir::scan_wire {

constexpr int child_fd = 3;  ///< where a child finds its end
constexpr std::size_t message_bytes_max = 64 * 1024;
constexpr std::size_t batch_max = 64;  ///< orders in one message

using Token = std::array<char, 16>;

struct Order {
  std::string sha256;
  std::string staged;
};

struct Verdict {
  static constexpr std::uint32_t ready = UINT32_MAX;  ///< as a number: the child awaits orders

  std::uint32_t number = 0;  ///< of the order, counted from 0 over the child's life
  bool last = false;         ///< the child takes no more: what was loaded may disturb the next
  std::optional<PluginError> refused = {};  ///< kind, stage, detail and hint alone
};

/// As many of them as one message takes are at least batch_max, with paths of usual length.
std::string written(const std::vector<Order>& orders);
std::optional<std::vector<Order>> read_orders(std::string_view message);

std::string written(const Token& token, const Verdict& verdict);

/// nullopt for what is no verdict of that token's.
std::optional<Verdict> read_verdict(const Token& token, std::string_view message);

}  // namespace weir::scan_wire
