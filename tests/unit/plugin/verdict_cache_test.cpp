#include "plugin/verdict_cache.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// A file in a folder of its own, and a time that stands still.
struct Cached {
  VerdictCache open() {
    return VerdictCache(file, [this] { return time; });
  }
  TemporaryFolder folder;
  fs::path file = folder.path() / "weir" / "verdicts";
  Time time{1'000'000s};
};

const PluginFile plugin{.path = "/plugins/a.so", .sha256 = "abc"};
const std::string key = sha256_hex("a key");

PluginError refused(PluginFault kind) {
  return refusal(PluginStage::scan, kind, "a detail, \"quoted\"\nwith \xFF and a line", "a hint")
      .error();
}

}  // namespace

TEST_SUITE("plugin: verdict cache") {
  TEST_CASE("nothing is known at first and that is no problem") {
    Cached cached;
    VerdictCache cache = cached.open();
    CHECK_FALSE(cache.find(key, plugin).has_value());
    CHECK_FALSE(cache.problem().has_value());
  }

  TEST_CASE("a verdict that was saved is known to the next process") {
    Cached cached;
    VerdictCache first = cached.open();
    const std::string other = sha256_hex("another");
    first.put(key, std::nullopt);
    first.put(other, refused(PluginFault::scan_crashed));
    REQUIRE(first.save().has_value());
    VerdictCache second = cached.open();
    REQUIRE(second.find(key, plugin).has_value());
    CHECK_FALSE(second.find(key, plugin)->refused.has_value());
    const auto known = second.find(other, plugin);
    REQUIRE(known.has_value());
    REQUIRE(known->refused.has_value());
    CHECK(known->refused->kind == PluginFault::scan_crashed);
    CHECK(known->refused->stage == PluginStage::scan);
    CHECK(known->refused->path == plugin.path);
    CHECK(known->refused->sha256 == plugin.sha256);
    CHECK(known->refused->detail == "a detail, \"quoted\"\nwith \xEF\xBF\xBD and a line");
    CHECK(known->refused->hint == "a hint");
  }

  TEST_CASE("a refusal is believed for an hour and one of the machine's for a minute") {
    Cached cached;
    VerdictCache cache = cached.open();
    const std::string slow = sha256_hex("slow"), sound = sha256_hex("sound");
    cache.put(key, refused(PluginFault::scan_crashed));
    cache.put(slow, refused(PluginFault::scan_timeout));
    cache.put(sound, std::nullopt);
    cached.time += 59s;
    CHECK(cache.find(slow, plugin).has_value());
    cached.time += 1s;
    CHECK_FALSE(cache.find(slow, plugin).has_value());
    CHECK(cache.find(key, plugin).has_value());
    cached.time += 59min;
    CHECK_FALSE(cache.find(key, plugin).has_value());
    CHECK(cache.find(sound, plugin).has_value());
  }

  TEST_CASE("a clock that was set back does not make a refusal last") {
    Cached cached;
    VerdictCache cache = cached.open();
    cache.put(key, refused(PluginFault::scan_crashed));
    cached.time -= 24h;
    CHECK_FALSE(cache.find(key, plugin).has_value());
  }

  TEST_CASE("what says nothing of the plugin is not kept") {
    Cached cached;
    VerdictCache cache = cached.open();
    cache.put(key, refused(PluginFault::stage_failed));
    CHECK_FALSE(cache.find(key, plugin).has_value());
    CHECK(cache.save().has_value());
    CHECK_FALSE(fs::exists(cached.file));
  }

  TEST_CASE("a file with one byte changed is ignored as damaged and written anew") {
    Cached cached;
    VerdictCache first = cached.open();
    first.put(key, std::nullopt);
    REQUIRE(first.save().has_value());
    const std::string whole = bytes_of(cached.file);
    for (std::size_t i = 0; i < whole.size(); i += 7) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ 1);
      std::ofstream(cached.file, std::ios::binary) << damaged;
      VerdictCache cache = cached.open();
      CHECK_FALSE(cache.find(key, plugin).has_value());
      REQUIRE(cache.problem().has_value());
      CHECK(cache.problem()->kind == "verdicts_ignored");
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, whole.size() - 1}) {
      std::ofstream(cached.file, std::ios::binary) << whole.substr(0, size);
      CHECK_FALSE(cached.open().find(key, plugin).has_value());
    }
    VerdictCache again = cached.open();
    again.put(key, std::nullopt);
    REQUIRE(again.save().has_value());
    CHECK(bytes_of(cached.file) == whole);
  }

  TEST_CASE("a file that others may write is ignored") {
    Cached cached;
    VerdictCache first = cached.open();
    first.put(key, std::nullopt);
    REQUIRE(first.save().has_value());
    fs::permissions(cached.file, fs::perms{0666});
    VerdictCache open_to_all = cached.open();
    CHECK_FALSE(open_to_all.find(key, plugin).has_value());
    REQUIRE(open_to_all.problem().has_value());
    CHECK(open_to_all.problem()->message.contains("can be written by everybody"));
    if (::geteuid() != 0) return;  // only root can give a file away
    fs::permissions(cached.file, fs::perms{0600});
    REQUIRE(::chown(cached.file.c_str(), 65534, 65534) == 0);
    CHECK_FALSE(cached.open().find(key, plugin).has_value());
  }

  TEST_CASE("processes that share a file keep each other's verdicts") {
    Cached cached;
    VerdictCache one = cached.open();
    VerdictCache other = cached.open();
    const std::string second = sha256_hex("second");
    one.put(key, std::nullopt);
    other.put(second, std::nullopt);
    REQUIRE(one.save().has_value());
    REQUIRE(other.save().has_value());
    VerdictCache all = cached.open();
    CHECK(all.find(key, plugin).has_value());
    CHECK(all.find(second, plugin).has_value());
  }

  TEST_CASE("of more verdicts than are kept the ones used last stay") {
    Cached cached;
    VerdictCache cache = cached.open();
    for (std::size_t i = 0; i < VerdictCache::entries_max; ++i)
      cache.put(sha256_hex(fmt::format("old {}", i)), std::nullopt);
    cached.time += 1s;
    cache.put(key, std::nullopt);
    REQUIRE(cache.save().has_value());
    VerdictCache next = cached.open();
    CHECK(next.find(key, plugin).has_value());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < VerdictCache::entries_max; ++i)
      if (next.find(sha256_hex(fmt::format("old {}", i)), plugin)) ++kept;
    CHECK(kept == VerdictCache::entries_max - 1);
  }

  TEST_CASE("the key is another one for other bytes or another library") {
    const PluginFolder folder;
    PluginInspection good = inspect(folder.path() / "good.so").value();
    DependencyState machine;
    const std::string first = VerdictCache::key_of(good, machine);
    CHECK(VerdictCache::key_of(good, machine) == first);
    PluginInspection other = good;
    other.file.sha256 = "other";
    CHECK(VerdictCache::key_of(other, machine) != first);
    other = good;
    other.file.path = "/elsewhere.so";
    CHECK(VerdictCache::key_of(other, machine) == first);

    const TemporaryFolder libraries;
    const fs::path library = libraries.write("libneeded.so", "1");
    good.needed.emplace_back("libneeded.so");
    good.runpath = libraries.path().string();
    DependencyState before;
    const std::string needed = VerdictCache::key_of(good, before);
    CHECK(needed != first);
    CHECK(VerdictCache::key_of(good, before) == needed);
    libraries.write("libneeded.so", "12");
    DependencyState after;
    CHECK(VerdictCache::key_of(good, after) != needed);
    fs::remove(library);
    DependencyState without;
    CHECK(VerdictCache::key_of(good, without) != needed);
  }
}
