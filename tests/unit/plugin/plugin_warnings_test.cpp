#include "plugin/plugin_warnings.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "unit/plugin/plugin_files.hpp"

namespace weir {
namespace {

TrustedFile file_of(std::string_view variant) {
  auto read = read_trusted(testing::built(variant));
  REQUIRE(read.has_value());
  return *std::move(read);
}

std::string kinds(const std::vector<PluginWarning>& warnings) {
  std::string all;
  for (const PluginWarning& warning : warnings) {
    CHECK_FALSE(warning.detail.empty());
    CHECK_FALSE(warning.hint.empty());
    all += (all.empty() ? "" : " ") + warning.kind;
  }
  return all;
}

// Sanitizers put constructors and destructors into everything.
std::vector<PluginWarning> warnings_of(std::string_view variant) {
  std::vector<PluginWarning> warnings = PluginWarnings().add(file_of(variant));
  if (WEIR_SANITIZED)
    std::erase_if(warnings, [](const PluginWarning& each) {
      return each.kind == "constructors" || each.kind == "destructors";
    });
  return warnings;
}

// Without what all of these fixtures have: they are linked without -z now.
std::string kinds_of(std::string_view variant) {
  std::vector<PluginWarning> warnings = warnings_of(variant);
  std::erase_if(warnings, [](const PluginWarning& each) { return each.kind == "lazy_binding"; });
  return kinds(warnings);
}

}  // namespace

TEST_SUITE("plugin: warnings") {
  TEST_CASE("what keeps code mapped is told") {
    CHECK(kinds_of("nodelete") == "nodelete");
    CHECK(kinds_of("unique_symbol").contains("gnu_unique"));
  }

  TEST_CASE("a constructor of the author's is told" * doctest::skip(WEIR_SANITIZED)) {
    CHECK(kinds_of("good") == "");
    CHECK(kinds_of("hangs") == "constructors");
  }

  TEST_CASE("a RUNPATH that means another folder once it is copied is told") {
    CHECK(kinds_of("library_beside").contains("origin_runpath"));
    CHECK(kinds_of("library_found") == "");
  }

  TEST_CASE("lazy binding is told") { CHECK(kinds(warnings_of("good")) == "lazy_binding"); }

  TEST_CASE("two plugins that bring different files of one name are told") {
    PluginWarnings beside;
    CHECK_FALSE(kinds(beside.add(file_of("library_found"))).contains("soname_clash"));
    CHECK_FALSE(kinds(beside.add(file_of("library_found"))).contains("soname_clash"));
    CHECK(kinds(beside.add(file_of("library_found_elsewhere"))).contains("soname_clash"));
  }
}

}  // namespace weir
