#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/plugin_error.hpp"

/// The messages between scanner and child, on a SOCK_SEQPACKET pair, each whole or not at all. The
/// scanner first sends a token; every message of the child begins with it, so that nothing a plugin
/// writes to descriptors it found is taken for a verdict.
namespace weir::scan_wire {

constexpr int child_fd = 3;  ///< the child's end of the pair
constexpr std::size_t message_bytes_max = 64 * 1024;
constexpr std::size_t batch_max = 64;  ///< orders in one message

using Token = std::array<char, 16>;

struct Order {
  std::string sha256;
  std::string staged;
};

struct Verdict {
  static constexpr std::uint32_t ready = UINT32_MAX;  ///< as a number: the child waits for orders

  std::uint32_t number = 0;  ///< of the order, counted from 0 over the child's life
  bool last = false;         ///< the child takes no more: what it has loaded may disturb the next
  std::optional<PluginError> refused = {};  ///< with kind, stage, detail and hint alone
};

/// One message has room for at least batch_max orders with paths of usual length.
std::string written(const std::vector<Order>& orders);
std::optional<std::vector<Order>> read_orders(std::string_view message);

std::string written(const Token& token, const Verdict& verdict);

/// nullopt for anything but a verdict with that token.
std::optional<Verdict> read_verdict(const Token& token, std::string_view message);

}  // namespace weir::scan_wire
