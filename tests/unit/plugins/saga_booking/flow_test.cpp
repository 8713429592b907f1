#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "support/temporary_folder.hpp"

using weir::testing::FlowRunner;
using weir::testing::TemporaryFolder;

namespace {

std::string trip(const TemporaryFolder& folder, int rooms, int budget) {
  return R"({"trip": "rome", "books": ")" + folder.path().string() + R"(", "rooms_left": )" +
         std::to_string(rooms) + R"(, "flight_price": 200, "hotel_price": 300, "budget": )" +
         std::to_string(budget) + "}";
}

std::size_t bookings(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

}  // namespace

TEST_SUITE("plugins: saga_booking") {
  TEST_CASE("a trip within its budget is booked and nothing is undone") {
    const TemporaryFolder folder;
    const auto run = FlowRunner(weir_plugin_v1).run(trip(folder, 1, 600));
    CHECK(run.output() == R"({"confirm":{"booking":"rome-payment.txt","price":500.0}})");
    CHECK(run.attempts("cancel_flight").empty());
    CHECK(bookings(folder) == 3);
  }

  TEST_CASE("F5: without a room the flight is undone and the hotel was never booked") {
    const TemporaryFolder folder;
    const auto run = FlowRunner(weir_plugin_v1).run(trip(folder, 0, 600));
    CHECK(run.output() == R"({"cancel_flight":{"cancelled":true}})");
    CHECK(bookings(folder) == 0);
  }

  TEST_CASE("F7: over budget both bookings are undone") {
    const TemporaryFolder folder;
    const auto run = FlowRunner(weir_plugin_v1).run(trip(folder, 1, 400));
    CHECK(run.output() ==
          R"({"cancel_flight":{"cancelled":true},"cancel_hotel":{"cancelled":true}})");
    CHECK(bookings(folder) == 0);
  }
}
