#include "plugin/quarantine.hpp"

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

namespace {

const std::string shop(64, 'a'), other(64, 'b');
constexpr Steady start{1'000'000s};

Quarantine::Limit limit() {
  return {.max_crashes = 2, .window = 60s, .first = 30s, .longest = 100s};
}

}  // namespace

TEST_SUITE_BEGIN("plugin: quarantine");

TEST_CASE("F1: the crash after those that are borne bars the plugin and no other") {
  Quarantine quarantine(limit());
  CHECK(!quarantine.crashed(shop, start));
  CHECK(!quarantine.crashed(shop, start + 1s));
  CHECK(!quarantine.crashed(other, start + 1s));
  CHECK(quarantine.crashed(shop, start + 2s) == start + 32s);
  CHECK(quarantine.barred(shop, start + 31s) == start + 32s);
  CHECK(!quarantine.barred(other, start + 2s));
  CHECK(quarantine.next_release(start + 2s) == start + 32s);
}

TEST_CASE("F1: crashes further apart than the window never bar") {
  Quarantine quarantine(limit());
  for (int i = 0; i < 20; ++i) CHECK(!quarantine.crashed(shop, start + i * 31s));
}

TEST_CASE("F1: a plugin is released when its time is over") {
  Quarantine quarantine({.max_crashes = 0, .window = 60s, .first = 30s, .longest = 100s});
  REQUIRE(quarantine.crashed(shop, start));
  CHECK(quarantine.barred(shop, start + 29'999ms));
  CHECK(!quarantine.barred(shop, start + 30s));
  CHECK(!quarantine.next_release(start + 30s));
}

TEST_CASE("F1: each quarantine that follows is twice as long up to the longest") {
  Quarantine quarantine({.max_crashes = 0, .window = 60s, .first = 30s, .longest = 100s});
  CHECK(quarantine.crashed(shop, start) == start + 30s);
  CHECK(quarantine.crashed(shop, start + 30s) == start + 90s);
  CHECK(quarantine.crashed(shop, start + 90s) == start + 190s);
  CHECK(quarantine.crashed(shop, start + 190s) == start + 290s);
}

TEST_CASE("F1: after a quarantine one more crash is enough") {
  Quarantine quarantine(limit());
  for (int i = 0; i < 3; ++i) quarantine.crashed(shop, start);
  CHECK(quarantine.crashed(shop, start + 40s) == start + 100s);
}

TEST_CASE("F1: one crash while it is loaded bars a plugin, from being loaded too") {
  Quarantine quarantine(limit());
  CHECK(quarantine.crashed_loading(shop, "it crashed", start) == start + 30s);
  CHECK(quarantine.barred(shop, start + 29s) == start + 30s);
  const auto bar = quarantine.barred_loading(shop, start + 29s);
  REQUIRE(bar);
  CHECK(bar->crash == "it crashed");
  CHECK(bar->until == start + 30s);
  CHECK(!quarantine.barred_loading(shop, start + 30s));
  CHECK(!quarantine.barred_loading(other, start));
  CHECK(quarantine.crashed_loading(shop, "again", start + 31s) == start + 91s);
}

TEST_CASE("F1: a plugin that is in quarantine for its steps can be loaded") {
  Quarantine quarantine(limit());
  quarantine.crashed_loading(shop, "it crashed", start);
  CHECK(quarantine.crashed(shop, start + 40s) == start + 100s);
  CHECK(!quarantine.barred_loading(shop, start + 50s));
}

TEST_CASE("F1: who ran for the longest time without a crash begins anew") {
  Quarantine quarantine(limit());
  for (int i = 0; i < 3; ++i) quarantine.crashed(shop, start);
  CHECK(!quarantine.crashed(shop, start + 130s));
}

TEST_CASE("what is known of plugins goes on in another process") {
  Quarantine first(limit());
  for (int i = 0; i < 3; ++i) first.crashed(shop, start);
  first.crashed(other, start);
  const std::string third(64, 'c');
  first.crashed_loading(third, "it crashed", start);
  Quarantine second(limit());
  second.restore(first.records());
  CHECK(second.barred(shop, start + 29s) == start + 30s);
  CHECK(!second.crashed(other, start + 1s));
  CHECK(second.crashed(other, start + 2s) == start + 32s);
  REQUIRE(second.barred_loading(third, start + 1s));
  CHECK(second.barred_loading(third, start + 1s)->crash == "it crashed");
  CHECK(!second.barred_loading(shop, start + 1s));
}

TEST_CASE("who wants to know of changes is told once for each plugin that is barred") {
  Quarantine quarantine(limit());
  int calls = 0;
  quarantine.on_change([&] { ++calls; });
  for (int i = 0; i < 3; ++i) quarantine.crashed(shop, start);
  CHECK(calls == 1);
}

TEST_SUITE_END();
