#include <cstdlib>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "plugin/inspection.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

TEST_SUITE("plugin: libraries and symbols") {
  TEST_CASE("plugin case 15: a plugin whose library is missing is refused as missing_dependency") {
    const PluginFolder folder;
    folder.put("missing_library");
    CHECK(refusal_in(folder) ==
          "not_loaded/missing_dependency at stage: it needs \"libweir_test_gone.so\", which is not "
          "on this "
          "machine (install the package it comes from, or link it statically)");
  }

  TEST_CASE(
      "plugin case 15: a library found through $ORIGIN alone is missing and the hint says why") {
    const PluginFolder folder;
    folder.put("library_beside");
    fs::create_directory(folder.path() / "gone");
    fs::copy_file(fs::path(BAD_PLUGINS) / "gone" / "libweir_test_gone.so",
                  folder.path() / "gone" / "libweir_test_gone.so");
    CHECK(refusal_in(folder) ==
          "not_loaded/missing_dependency at stage: it needs \"libweir_test_gone.so\", which is not "
          "on this "
          "machine (it was found through $ORIGIN, which does not work for plugins: they are loaded "
          "from a "
          "private copy. Install the library, or link it statically)");
  }

  TEST_CASE("plugin case 15: a library of an older version is refused as missing_dependency") {
    const PluginFolder folder;
    folder.put("missing_version");
    CHECK(refusal_in(folder) ==
          fmt::format(
              "not_loaded/missing_dependency at stage: it needs version \"NEIGHBOUR_2\" of "
              "\"libweir_test_versions.so\", which {}/older/libweir_test_versions.so does not have "
              "(it was "
              "built against a newer library: build it on this machine's system or an older one)",
              BAD_PLUGINS));
  }

  TEST_CASE("plugin case 16: a plugin with an undefined symbol is refused as undefined_symbol") {
    const PluginFolder folder;
    folder.put("undefined_symbol");
    CHECK(refusal_in(folder) ==
          "not_loaded/undefined_symbol at stage: it uses \"neighbour\", which none of its "
          "libraries defines "
          "(link the library that defines it; -Wl,-z,defs finds such at build time)");
  }

  TEST_CASE(
      "plugin case 17: a symbol that only a dependency has is refused as "
      "symbol_not_in_this_object") {
    const PluginFolder folder;
    folder.put("symbol_in_dependency");
    CHECK(
        refusal_in(folder) ==
        fmt::format("invalid_flow_module/symbol_not_in_this_object at manifest: it does not "
                    "export weir_plugin_v1, but {}/plugin/libweir_test_plugin.so, which it needs, "
                    "does (define it with WEIR_PLUGIN(…) and let the linker export it; "
                    "weir_add_plugin() does)",
                    BAD_PLUGINS));
  }

  TEST_CASE("plugin case 18: a plugin without the definition symbol is refused as missing_symbol") {
    const PluginFolder folder;
    folder.put("no_symbol");
    CHECK(refusal_in(folder) ==
          "invalid_flow_module/missing_symbol at manifest: it does not export weir_plugin_v1 "
          "(define it with "
          "WEIR_PLUGIN(…) and let the linker export it; weir_add_plugin() does)");
  }

  TEST_CASE("lint accepts a plugin whose library stands on its RUNPATH and so does the loader") {
    const PluginFolder folder;
    folder.put("library_found");
    check_good(folder);
  }

  TEST_CASE("lint runs no code of a plugin") {
    const PluginFolder folder;
    folder.put("leaves_marker");
    const fs::path marker = folder.elsewhere("marker");
    REQUIRE(::setenv("WEIR_TEST_MARKER", marker.c_str(), 1) == 0);
    CHECK(inspect(folder.middle()).has_value());
    CHECK_FALSE(fs::exists(marker));
    REQUIRE(loader().load(folder.middle()).has_value());  // so the marker would have shown it
    CHECK(fs::exists(marker));
    ::unsetenv("WEIR_TEST_MARKER");
  }
}
