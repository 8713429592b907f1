#include "plugin/plugin_folder.hpp"

#include <filesystem>
#include <vector>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/temporary_folder.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

TEST_SUITE("plugin: folders") {
  TEST_CASE("every .so of the top level is a candidate and nothing else is") {
    const TemporaryFolder folder;
    for (const char* name :
         {"b.so", "a.so", "README.md", ".hidden.so", "c.so.tmp", "d.so.1", ".so", "deep/e.so"})
      folder.write(name, "");
    CHECK(discover(folder.path()).value() ==
          std::vector{folder.path() / "a.so", folder.path() / "b.so"});
  }

  TEST_CASE("a candidate that is no file is reported rather than passed over") {
    const TemporaryFolder folder;
    fs::create_directory(folder.path() / "folder.so");
    fs::create_symlink("nowhere", folder.path() / "link.so");
    REQUIRE(::mkfifo((folder.path() / "fifo.so").c_str(), 0600) == 0);
    CHECK(discover(folder.path()).value().size() == 3);
  }

  TEST_CASE("a plugin folder that is a file is refused") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("plugins", "");
    CHECK(refusal_text(discover(file).error(), file) ==
          "not_loaded/not_regular at discover: not a folder (plugins.folders in flows.yaml takes "
          "folders)");
  }
}
