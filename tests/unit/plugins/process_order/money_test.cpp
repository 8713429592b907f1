#include "plugins/process_order/money.hpp"

#include <cmath>
#include <string>

#include <doctest/doctest.h>

using process_order::Money;

namespace {

std::string text(double amount) {
  const auto money = Money::parse(amount);
  return money ? money->text() : money.error();
}

}  // namespace

TEST_SUITE("plugins: money") {
  TEST_CASE("a sum is exact to the cent and reads back as the same number") {
    CHECK(text(99.99) == "99.99");
    CHECK(text(100) == "100.00");
    CHECK(text(0.01) == "0.01");
    CHECK(text(1e9) == "1000000000.00");
    CHECK(Money::parse(99.99)->amount() == 99.99);
    CHECK(Money::parse(1.1)->amount() == 1.1);
  }

  TEST_CASE("a double that is a bit off means the same sum") {
    CHECK(Money::parse(0.1 + 0.2) == Money::parse(0.3));
    CHECK(Money::parse(std::nextafter(99.99, 100)) == Money::parse(99.99));
    CHECK(Money::parse(std::nextafter(999'999'999.99, 0))->text() == "999999999.99");
  }

  TEST_CASE("what cannot be charged is refused with the reason") {
    CHECK(text(0) == "amount 0 is not positive");
    CHECK(text(-5.5) == "amount -5.5 is not positive");
    CHECK(text(std::nan("")) == "amount nan is not positive");
    CHECK(text(99.995) == "amount 99.995 is no whole number of cents");
    CHECK(text(1e-9) == "amount 1e-09 is less than a cent");
    CHECK(text(1e300) == "amount 1e+300 is more than 1000000000.00");
  }
}
