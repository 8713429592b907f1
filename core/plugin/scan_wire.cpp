#include "plugin/scan_wire.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>

namespace weir::scan_wire {
namespace {

constexpr char end_of_text = '\0';
constexpr std::size_t detail_bytes_max = 16 * 1024;
constexpr std::size_t head_bytes = sizeof(Token) + sizeof(std::uint32_t) + 1;

void add(std::string& message, std::string_view text) {
  message += text;
  message += end_of_text;
}

// The text up to the next end_of_text; nullopt when there is none.
std::optional<std::string> take(std::string_view& rest) {
  const std::size_t end = rest.find(end_of_text);
  if (end == std::string_view::npos) return std::nullopt;
  std::string text(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return text;
}

}  // namespace

std::string written(const std::vector<Order>& orders) {
  std::string message;
  for (const Order& order : orders) {
    add(message, order.sha256);
    add(message, order.staged);
  }
  return message;
}

std::optional<std::vector<Order>> read_orders(std::string_view message) {
  std::vector<Order> orders;
  while (!message.empty()) {
    auto sha256 = take(message);
    auto staged = take(message);
    if (!sha256 || !staged) return std::nullopt;
    orders.push_back({*std::move(sha256), *std::move(staged)});
  }
  return orders;
}

std::string written(const Token& token, const Verdict& verdict) {
  std::string message(token.data(), token.size());
  std::array<char, sizeof verdict.number> number{};
  std::memcpy(number.data(), &verdict.number, number.size());
  message.append(number.data(), number.size());
  message += verdict.last ? '\1' : '\0';
  if (verdict.refused) {
    add(message, name(verdict.refused->kind));
    add(message, name(verdict.refused->stage));
    add(message, verdict.refused->hint);
    add(message, verdict.refused->detail.substr(0, detail_bytes_max));
  }
  return message;
}

std::optional<Verdict> read_verdict(const Token& token, std::string_view message) {
  if (message.size() < head_bytes || !std::ranges::equal(message.substr(0, token.size()), token))
    return std::nullopt;
  Verdict verdict;
  std::memcpy(&verdict.number, message.data() + token.size(), sizeof verdict.number);
  verdict.last = message[head_bytes - 1] != '\0';
  message.remove_prefix(head_bytes);
  if (message.empty()) return verdict;
  const auto kind = take(message), stage = take(message), hint = take(message),
             detail = take(message);
  if (!detail) return std::nullopt;
  const auto fault = fault_named(*kind);
  const auto at = stage_named(*stage);
  if (!fault || !at) return std::nullopt;
  verdict.refused = refusal(*at, *fault, *detail, *hint).error();
  return verdict;
}

}  // namespace weir::scan_wire
