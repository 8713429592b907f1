// Whole folders through a loader that scans.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sha256.hpp"
#include "plugin/loader.hpp"
#include "support/load_folders.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/trusted_umask.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

struct Loading {
  explicit Loading(const fs::path& verdict_file) : verdicts(verdict_file) {}

  LoadReport load(const fs::path& plugins) {
    const PluginLoader loader(
        StageDirectory::open().value(), {},
        {.scanner = &scanner, .verdicts = &verdicts, .quarantine = &quarantine});
    return load_folders(loader, {plugins}, registry);
  }

  Scanner scanner{{.program = SCAN_CHILD, .arguments = {}}};
  VerdictCache verdicts;
  Quarantine quarantine{{.first = 1h, .longest = 1h}};
  FlowRegistry registry;
};

class Folder {
 public:
  explicit Folder(const std::vector<std::string_view>& variants) {
    fs::create_directory(plugins());
    for (const std::string_view variant : variants) put(variant);
  }
  void put(std::string_view variant) const {
    const std::string name = std::string(variant) + ".so";
    fs::copy_file(fs::path(BAD_PLUGINS) / name, plugins() / name);
    fs::permissions(plugins() / name, fs::perms{0644});
  }
  fs::path plugins() const { return folder_.path() / "plugins"; }
  fs::path verdicts() const { return folder_.path() / ".weir" / "verdicts"; }

 private:
  TemporaryFolder folder_;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string kinds(const LoadReport& report) {
  std::string all;
  for (const PluginError& refused : report.refused)
    all += fmt::format("{} {}\n", fs::path(refused.path).stem().string(), name(refused.kind));
  return all;
}

constexpr std::string_view refused_kinds =
    "aborts scan_crashed\nexits scan_exited\nforks scan_crashed\nmissing_library "
    "missing_dependency\nrun_null bad_descriptor\nstarts_a_thread starts_threads\nundefined_symbol "
    "undefined_symbol\nwrong_magic bad_magic\n";
const std::vector<std::string_view> mixed = {"aborts",     "exits",           "forks",
                                             "good",       "missing_library", "other_flow",
                                             "run_null",   "starts_a_thread", "undefined_symbol",
                                             "wrong_magic"};

}  // namespace

TEST_SUITE("plugin: loading with a scanner") {
  TEST_CASE("each bad plugin is refused with its kind and the good ones beside it are live") {
    const Folder folder(mixed);
    Loading loading(folder.verdicts());
    const LoadReport report = loading.load(folder.plugins());
    CHECK(kinds(report) == refused_kinds);
    CHECK(report.loaded.size() == 2);
    CHECK(loading.registry.find("good").has_value());
    CHECK(loading.registry.find("other").has_value());
    CHECK(loading.scanner.scanned() == 9);  // what is wrong in the file itself needs no scan
  }

  TEST_CASE("a restart with a warm cache scans none and tells the same") {
    const Folder folder(mixed);
    const LoadReport first = Loading(folder.verdicts()).load(folder.plugins());
    Loading again(folder.verdicts());
    CHECK_FALSE(again.verdicts.problem().has_value());
    const LoadReport second = again.load(folder.plugins());
    CHECK(again.scanner.scanned() == 0);
    CHECK(again.scanner.started() == 0);
    CHECK(second.loaded.size() == 2);
    REQUIRE(second.refused.size() == first.refused.size());
    for (std::size_t i = 0; i < first.refused.size(); ++i) {
      CHECK(to_string(second.refused[i]) == to_string(first.refused[i]));
      CHECK(second.refused[i].stage == first.refused[i].stage);
      CHECK(second.refused[i].sha256 == first.refused[i].sha256);
    }
  }

  TEST_CASE("only what is new is scanned") {
    const Folder folder({"good"});
    Loading loading(folder.verdicts());
    loading.load(folder.plugins());
    folder.put("other_flow");
    CHECK(loading.load(folder.plugins()).loaded.size() == 2);
    CHECK(loading.scanner.scanned() == 2);
  }

  TEST_CASE("F1: a plugin that crashed as it was loaded is scanned again and not loaded") {
    const Folder folder({"good", "other_flow"});
    const LoadReport before = Loading(folder.verdicts()).load(folder.plugins());
    REQUIRE(before.loaded.size() == 2);
    Loading again(folder.verdicts());
    again.quarantine.crashed_loading(sha256_hex(bytes_of(folder.plugins() / "good.so")),
                                     "loading it crashed: SIGSEGV",
                                     std::chrono::steady_clock::now());
    const LoadReport report = again.load(folder.plugins());
    CHECK(again.scanner.scanned() == 1);
    CHECK(report.loaded.size() == 1);
    REQUIRE(report.refused.size() == 1);
    CHECK(to_string(report.refused[0]) ==
          fmt::format(
              "{}/good.so: plugin_quarantined: loading it crashed: SIGSEGV (its runs wait; it "
              "is loaded again when its quarantine is over: see what its constructors do)",
              folder.plugins().string()));
    CHECK(report.refused[0].stage == PluginStage::stage);
    CHECK_FALSE(again.registry.find("good").has_value());
  }

  TEST_CASE("what was known is not believed after forget") {
    const Folder folder({"good"});
    Loading(folder.verdicts()).load(folder.plugins());
    Loading again(folder.verdicts());
    again.verdicts.forget();
    again.load(folder.plugins());
    CHECK(again.scanner.scanned() == 1);
    Loading third(folder.verdicts());
    third.load(folder.plugins());
    CHECK(third.scanner.scanned() == 0);
  }

  TEST_CASE("a verdict cache that can't be written hinders no plugin") {
    const Folder folder({"good"});
    std::ofstream(folder.plugins().parent_path() / "file").put('x');
    Loading loading(folder.plugins().parent_path() / "file" / "verdicts");
    CHECK(loading.load(folder.plugins()).loaded.size() == 1);
    REQUIRE(loading.verdicts.problem().has_value());
    CHECK(loading.verdicts.problem()->kind == "verdicts_unwritable");
  }

  TEST_CASE("a plugin alone is loaded as it is among others") {
    const Folder folder({"aborts", "good"});
    Scanner scanner{{.program = SCAN_CHILD, .arguments = {}}};
    const PluginLoader loader(StageDirectory::open().value(), {}, {.scanner = &scanner});
    CHECK(loader.load(folder.plugins() / "good.so").has_value());
    CHECK(loader.load(folder.plugins() / "aborts.so").error().kind == PluginFault::scan_crashed);
    CHECK(loader.load(folder.plugins() / "none.so").error().kind == PluginFault::not_found);
    CHECK(scanner.started() == 2);
  }
}
