#include "plugin/loader.hpp"

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "base/sha256.hpp"
#include "support/load_folders.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

LoadReport load_folder(const fs::path& folder, FlowRegistry& registry) {
  return load_folders(loader(), {folder}, registry);
}

}  // namespace

TEST_SUITE("plugin: loader") {
  TEST_CASE("what inspect and load tell of a good plugin is the same") {
    const PluginFolder folder;
    const fs::path path = folder.path() / "good.so";
    const auto inspection = inspect(path);
    REQUIRE(inspection.has_value());
    CHECK(inspection->file == PluginFile{path.string(), sha256_hex(bytes_of(path))});
    CHECK(inspection->manifest.plugin == "by_hand");
    CHECK(inspection->manifest.version == "1.0");
    REQUIRE(inspection->flows.size() == 1);

    const auto modules = loader().load(path);
    REQUIRE(modules.has_value());
    REQUIRE(modules->size() == 1);
    CHECK(modules->front().file == inspection->file);
    CHECK(modules->front().definition.fingerprint() == inspection->flows.front().fingerprint());
  }

  TEST_CASE("steps lead to their code by name though the descriptor has them in another order") {
    const PluginFolder folder;
    const auto modules =
        loader().load(folder.path() / "good.so");  // whose manifest has second first
    REQUIRE(modules.has_value());
    const FlowModule& module = modules->front();
    REQUIRE(module.steps.size() == 2);
    CHECK(module.definition.steps()[0].slug.view() == "first");
    CHECK(run(*module.steps[0]) == "\"first\"");
    CHECK(run(*module.steps[1]) == "\"second\"");
  }

  TEST_CASE("code stays after the loader and its stage are gone") {
    const PluginFolder folder;
    const FlowModule module = loader().load(folder.path() / "good.so").value().front();
    CHECK(run(*module.steps[0]) == "\"first\"");
  }

  TEST_CASE("plugins are reported in the order of their files") {
    const PluginFolder folder;
    folder.put("wrong_major");
    FlowRegistry registry;
    const LoadReport report = load_folder(folder.path(), registry);
    REQUIRE(report.loaded.size() == 2);
    CHECK(report.loaded[0].file.path == (folder.path() / "good.so").string());
    CHECK(report.loaded[0].name == "by_hand");
    CHECK(report.loaded[0].version == "1.0");
    REQUIRE(report.loaded[0].flows.size() == 1);
    CHECK(report.loaded[0].flows[0] == "good");
    CHECK(report.loaded[1].flows[0] == "other");
    CHECK(report.refused.size() == 1);
  }

  TEST_CASE("plugin case 30: a slug taken by another file is refused and stays with its holder") {
    const PluginFolder folder;
    folder.put("same_slug");
    FlowRegistry registry;
    const LoadReport report = load_folder(folder.path(), registry);
    REQUIRE(report.refused.size() == 1);
    CHECK(refusal_text(report.refused[0], folder.middle()) ==
          fmt::format(
              "duplicate_slug/duplicate_slug at publish: slug \"GOOD\" of module "
              "\"test.Latecomer\" ({}, "
              "sha256 {}) is already taken as \"good\" by module \"test.Good\" ({}, sha256 {}) "
              "(remove one "
              "of the two, or give a flow another slug; slugs that differ in case alone count as "
              "the same)",
              folder.middle().string(), sha256_hex(bytes_of(folder.middle())),
              (folder.path() / "good.so").string(), sha256_hex(bytes_of(built("good")))));
    CHECK((*registry.find("good"))->definition.module().view() == "test.Good");
    CHECK(registry.list().size() == 2);
  }

  TEST_CASE("plugin case 30: a module taken by another file is refused and stays with its holder") {
    const PluginFolder folder;
    folder.put("same_module");
    FlowRegistry registry;
    const LoadReport report = load_folder(folder.path(), registry);
    REQUIRE(report.refused.size() == 1);
    CHECK(refusal_text(report.refused[0], folder.middle())
              .starts_with(fmt::format(
                  "duplicate_module/duplicate_module at publish: module \"test.Good\" ({}, sha256 ",
                  folder.middle().string())));
    CHECK(report.refused[0].detail.contains((folder.path() / "good.so").string()));
    CHECK((*registry.find("test.Good"))->definition.slug().view() == "good");
    CHECK(registry.list().size() == 2);
  }

  TEST_CASE("G4: a plugin of which one flow collides registers none") {
    const PluginFolder folder;
    folder.put("same_slug");
    FlowRegistry registry;
    load_folder(folder.path(), registry);
    CHECK_FALSE(registry.find("test.Latecomer").has_value());
  }

  TEST_CASE("D7: loading the same folder again changes nothing") {
    const PluginFolder folder;
    FlowRegistry registry;
    load_folder(folder.path(), registry);
    const std::vector<FlowHandle> before = registry.list();
    const LoadReport again = load_folder(folder.path(), registry);
    CHECK(again.refused.empty());
    CHECK(again.loaded.size() == 2);
    CHECK(registry.list() == before);
  }

  TEST_CASE("a changed file replaces its flows and handles to the old ones still run") {
    const PluginFolder folder;
    FlowRegistry registry;
    load_folder(folder.path(), registry);
    const FlowHandle old = *registry.find("good");
    const fs::path file = folder.path() / "good.so";
    folder.put("second_version");
    fs::rename(folder.middle(), file);
    const LoadReport report = load_folder(folder.path(), registry);
    CHECK(report.loaded[0].version == "2.0");
    CHECK((*registry.find("good"))->file.sha256 == sha256_hex(bytes_of(built("second_version"))));
    CHECK(old->file.sha256 == sha256_hex(bytes_of(built("good"))));
    CHECK(run(*old->steps[0]) == "\"first\"");
  }

  TEST_CASE("plugin case 31: a file overwritten in place after loading disturbs nobody") {
    const PluginFolder folder;
    FlowRegistry registry;
    load_folder(folder.path(), registry);
    fs::resize_file(folder.path() / "good.so", 0);
    CHECK(run(*(*registry.find("good"))->steps[0]) == "\"first\"");
  }

  TEST_CASE("a folder that is not there is one refusal and the others are loaded") {
    const PluginFolder folder;
    FlowRegistry registry;
    const std::vector<fs::path> folders = {folder.elsewhere("nowhere"), folder.path()};
    const LoadReport report = load_folders(loader(), folders, registry);
    REQUIRE(report.refused.size() == 1);
    CHECK(refusal_text(report.refused[0], folders[0]) ==
          "not_loaded/not_found at discover: there is no such plugin folder (create it, or fix "
          "plugins.folders in "
          "flows.yaml)");
    CHECK(report.loaded.size() == 2);
  }

  TEST_CASE("a hash that is not allowed is refused for that file alone") {
    const PluginFolder folder;
    folder.put("second_version");
    const PluginLoader allowing =
        loader({.sha256_allow = {sha256_hex(bytes_of(built("good"))),
                                 sha256_hex(bytes_of(built("other_flow")))}});
    FlowRegistry registry;
    const LoadReport report = load_folders(allowing, {folder.path()}, registry);
    CHECK(report.loaded.size() == 2);
    REQUIRE(report.refused.size() == 1);
    const std::string sha256 = sha256_hex(bytes_of(built("second_version")));
    CHECK(refusal_text(report.refused[0], folder.middle()) ==
          fmt::format(
              "not_loaded/hash_not_allowed at verify: its sha256 {} is not in the list (add it to "
              "plugins.sha256_allow in flows.yaml if you trust this file)",
              sha256));
    CHECK(report.refused[0].sha256 == sha256);
  }

  TEST_CASE("threads may load at the same time") {
    const PluginFolder folder;
    const PluginLoader shared = loader();
    const std::vector<fs::path> files = {folder.path() / "good.so", folder.path() / "zother.so"};
    std::atomic<std::size_t> loaded = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
          for (int round = 0; round < 10; ++round)
            for (const LoadResult& result : shared.load(files))
              if (result && run(*result->modules.front().steps[1]) == "\"second\"") ++loaded;
        });
    }
    CHECK(loaded == 80);
  }
}
