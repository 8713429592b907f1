#include "plugins/saga_booking/bookings.hpp"

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

using saga_booking::Bookings;

TEST_SUITE("plugins: saga_booking") {
  TEST_CASE("booking and cancelling twice are harmless") {
    const weir::testing::TemporaryFolder folder;
    Bookings books(folder.path() / "books");
    CHECK(books.book("rome", "hotel") == "rome-hotel.txt");
    CHECK(books.book("rome", "hotel") == "rome-hotel.txt");
    CHECK(books.cancel("rome", "hotel"));
    CHECK_FALSE(books.cancel("rome", "hotel"));
    CHECK_FALSE(books.cancel("rome", "flight"));
  }
}
