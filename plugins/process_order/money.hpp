#pragma once
#include <cstdint>
#include <expected>
#include <string>

namespace process_order {

/// A positive sum of money, exact to the cent. Holding one proves it was checked.
class Money {
 public:
  static constexpr std::int64_t cents_max = 100'000'000'000;

  /// From a JSON number such as 99.99, which need not be the nearest double: sums of doubles and
  /// some JSON readers are slightly inexact. The error says why the sum cannot be charged.
  static std::expected<Money, std::string> parse(double amount);

  /// The double nearest to it.
  double amount() const noexcept { return static_cast<double>(cents_) / 100; }

  /// "99.99"
  std::string text() const;

  friend bool operator==(const Money&, const Money&) = default;

 private:
  explicit Money(std::int64_t cents) : cents_(cents) {}
  std::int64_t cents_;
};

}  // namespace process_order
