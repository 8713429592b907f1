#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "support/temporary_folder.hpp"

using weir::testing::FlowRunner;

TEST_SUITE("trial: plugin files") {
  TEST_CASE("a plugin file runs as it would in a worker") {
    FlowRunner hello = FlowRunner::load(HELLO_C);
    CHECK(hello.flow() == "hello_c");
    hello.fail("greet", "no voice");
    const auto run = hello.run(R"({"name": "Ada Lovelace"})");
    CHECK(run.output() == R"({"compose":{"text":"Hello, Ada! Hello, Lovelace!"}})");
    CHECK(run.attempts("greet").size() == 3);
    CHECK(run.attempts("compose")[0].began >= run.attempts("greet")[2].waited);
  }

  TEST_CASE("a file that is refused says why") {
    const weir::testing::TemporaryFolder folder;
    const auto file = folder.write("bad.so", "junk");
    try {
      FlowRunner::load(file);
      FAIL("it was loaded");
    } catch (const std::invalid_argument& refused) {
      CHECK(std::string(refused.what()).starts_with(file.string() + ": not_elf: "));
    }
  }
}
