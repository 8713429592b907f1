#include "plugin/plugin_board.hpp"

#include <chrono>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace weir;

namespace {

using namespace std::chrono_literals;

PluginStatus status(std::string path, std::string sha256, PluginState state = PluginState::live) {
  return {.file = {.path = std::move(path), .sha256 = std::move(sha256)}, .state = state};
}

}  // namespace

TEST_SUITE("plugin: board") {
  TEST_CASE("two versions of one file stand side by side in the order of path and sha256") {
    PluginBoard board;
    board.put(status("b.so", "1"));
    board.put(status("a.so", "2"));
    board.put(status("a.so", "1", PluginState::former));
    const std::vector<PluginStatus> all = board.list();
    REQUIRE(all.size() == 3);
    CHECK(all[0].file == PluginFile{"a.so", "1"});
    CHECK(all[0].state == PluginState::former);
    CHECK(all[1].file == PluginFile{"a.so", "2"});
    CHECK(all[2].file == PluginFile{"b.so", "1"});
  }

  TEST_CASE("what is put again takes the place of what stood there") {
    PluginBoard board;
    board.put(status("a.so", "1"));
    board.put(status("a.so", "1", PluginState::pinned));
    REQUIRE(board.list().size() == 1);
    CHECK(board.list().front().state == PluginState::pinned);
  }

  TEST_CASE("the revision grows with each change and with nothing else") {
    PluginBoard board;
    const std::uint64_t empty = board.revision();
    board.put(status("a.so", "1"));
    const std::uint64_t one = board.revision();
    CHECK(one > empty);
    board.remove({"a.so", "2"});
    board.remove({"b.so", "1"});
    CHECK(board.list().size() == 1);
    CHECK(board.revision() == one);
    board.remove({"a.so", "1"});
    CHECK(board.list().empty());
    CHECK(board.revision() > one);
  }

  TEST_CASE("states have the words that people and the database read") {
    CHECK(name(PluginState::live) == "live");
    CHECK(name(PluginState::former) == "former");
    CHECK(name(PluginState::refused) == "refused");
    CHECK(name(PluginState::quarantined) == "quarantined");
    CHECK(name(PluginState::pinned) == "unload_pinned");
  }
}
