#include "money.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace process_order {
namespace {

// In cents; the error of a double stays below it up to cents_max.
constexpr double rounding = 0.001;

std::string shortest(double number) {
  std::array<char, 32> digits;
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

}  // namespace

std::expected<Money, std::string> Money::parse(double amount) {
  if (!(amount > 0)) return std::unexpected("amount " + shortest(amount) + " is not positive");
  if (amount > static_cast<double>(cents_max) / 100) {
    return std::unexpected("amount " + shortest(amount) + " is more than " +
                           Money(cents_max).text());
  }
  const double cents = amount * 100;
  if (std::abs(cents - std::round(cents)) > rounding) {
    return std::unexpected("amount " + shortest(amount) + " is no whole number of cents");
  }
  if (std::llround(cents) == 0)
    return std::unexpected("amount " + shortest(amount) + " is less than a cent");
  return Money(std::llround(cents));
}

std::string Money::text() const {
  const std::string cents = std::to_string(cents_ % 100);
  return std::to_string(cents_ / 100) + (cents.size() == 1 ? ".0" : ".") + cents;
}

}  // namespace process_order
