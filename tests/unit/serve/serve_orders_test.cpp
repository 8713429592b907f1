#include "serve/serve_orders.hpp"

#include <chrono>

#include <doctest/doctest.h>

#include "config/config.hpp"

namespace weir {

TEST_SUITE("serve: orders") {
  TEST_CASE("F10: the worker process reads the trial that its parent wrote") {
    const ServeOrders orders{
        .parent = 7,
        .config = default_config("/folder"),
        .database = "postgresql://here",
        .stage = "/stage",
        .trial = ServeOrders::Trial{
            .of = {3, 4},
            .suspects = {{.run = 5'000'000'000, .task = {.step = 1, .index = 70'000}, .attempt = 2},
                         {.run = 6, .task = {}, .attempt = 1}}}};
    const auto read = parse_orders(to_text(orders));
    REQUIRE(read.has_value());
    REQUIRE(read->trial.has_value());
    CHECK(read->trial->of == orders.trial->of);
    REQUIRE(read->trial->suspects.size() == 2);
    CHECK(read->trial->suspects[0].run == 5'000'000'000);
    CHECK(read->trial->suspects[0].task == TaskId{.step = 1, .index = 70'000});
    CHECK(read->trial->suspects[0].attempt == 2);
  }

  TEST_CASE("F1: the worker process reads what its parent knows of crashes") {
    const auto now = std::chrono::steady_clock::now();
    const ServeOrders orders{.parent = 7,
                             .config = default_config("/folder"),
                             .database = "postgresql://here",
                             .stage = "/stage",
                             .quarantine = {{.sha256 = "aa", .crashes = {now}, .until = {}},
                                            {.sha256 = "bb",
                                             .crashes = {},
                                             .until = now + std::chrono::seconds(30),
                                             .last = std::chrono::seconds(30),
                                             .load_crash = "loading it crashed: SIGSEGV"}}};
    const auto read = parse_orders(to_text(orders));
    REQUIRE(read.has_value());
    REQUIRE(read->quarantine.size() == 2);
    CHECK(read->quarantine[0].crashes == orders.quarantine[0].crashes);
    CHECK(read->quarantine[0].load_crash.empty());
    CHECK(read->quarantine[1].until == orders.quarantine[1].until);
    CHECK(read->quarantine[1].last == orders.quarantine[1].last);
    CHECK(read->quarantine[1].load_crash == "loading it crashed: SIGSEGV");
  }

  TEST_CASE("orders without a trial are those of the worker process") {
    const auto read = parse_orders(
        to_text({.parent = 7, .config = default_config("/f"), .database = "d", .stage = "/s"}));
    REQUIRE(read.has_value());
    CHECK_FALSE(read->trial.has_value());
  }
}

}  // namespace weir
