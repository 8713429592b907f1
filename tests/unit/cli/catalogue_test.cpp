#include "cli/catalogue.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/load_folders.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/trusted_umask.hpp"

using namespace weir;
namespace fs = std::filesystem;

namespace {

// "b.so: duplicate_slug: slug …", a line each.
std::string lines(const std::vector<PluginError>& refused) {
  std::string text;
  for (const PluginError& each : refused)
    text += fs::path(each.path).filename().string() + ": " + to_string(each) + "\n";
  return text;
}

}  // namespace

TEST_SUITE("cli: catalogue") {
  TEST_CASE("G4: what the catalogue says of names that are taken is what loading says") {
    std::vector<std::string> variants = {"good", "other_flow", "same_module", "same_slug"};
    std::string of_all;
    do {
      const weir::testing::TemporaryFolder folder;
      const fs::path plugins = folder.path() / "plugins";
      fs::create_directory(plugins);
      for (std::size_t i = 0; i < variants.size(); ++i) {
        const fs::path file = plugins / (std::string(1, static_cast<char>('a' + i)) + ".so");
        fs::copy_file(fs::path(BAD_PLUGINS) / (variants[i] + ".so"), file);
        fs::permissions(file, fs::perms{0644});
      }
      const auto catalogue = cli::read_catalogue(default_config(folder.path()));
      REQUIRE(catalogue.has_value());
      FlowRegistry registry;
      const PluginLoader loader(StageDirectory::open().value());
      const auto report = weir::testing::load_folders(loader, {plugins}, registry);
      CHECK(lines(catalogue->refused) == lines(report.refused));
      CHECK(catalogue->flows.size() == registry.list().size());
      of_all += lines(catalogue->refused);
    } while (std::ranges::next_permutation(variants).found);
    CHECK(of_all.contains(": duplicate_slug: "));
    CHECK(of_all.contains(": duplicate_module: "));
  }
}
