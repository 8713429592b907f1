#include "plugin/plugin_error.hpp"

#include <doctest/doctest.h>

using namespace weir;

namespace {

PluginError truncated() {
  PluginError error =
      refusal(PluginStage::verify, PluginFault::truncated, "the file is empty", "copy it again")
          .error();
  error.path = "plugins/a.so";
  return error;
}

}  // namespace

TEST_SUITE("plugin: errors") {
  TEST_CASE("a refusal is one line of path and kind and detail and hint") {
    CHECK(to_string(truncated()) == "plugins/a.so: truncated: the file is empty (copy it again)");
    PluginError without_hint = truncated();
    without_hint.hint.clear();
    CHECK(to_string(without_hint) == "plugins/a.so: truncated: the file is empty");
  }

  TEST_CASE("a refusal stays one line whatever the file is called") {
    PluginError error = truncated();
    error.path = "plugins/a\n\x1b[31m\xff.so";
    CHECK(to_string(error) ==
          "plugins/a\\n\\u001b[31m\\xff.so: truncated: the file is empty (copy it again)");
  }

  TEST_CASE("a refusal becomes an Error of the same words") {
    CHECK(to_error(truncated()) == Error{.code = ErrorCode::invalid_definition,
                                         .kind = "truncated",
                                         .message = "plugins/a.so: truncated: the file is empty",
                                         .hint = "copy it again"});
    PluginError taken = truncated();
    taken.kind = PluginFault::duplicate_slug;
    CHECK(to_error(taken).code == ErrorCode::conflict);
    taken.kind = PluginFault::noexec_mount;
    CHECK(to_error(taken).code == ErrorCode::unavailable);
    taken.kind = PluginFault::not_found;
    CHECK(to_error(taken).code == ErrorCode::not_found);
  }

  TEST_CASE("a kind belongs to one of four families") {
    CHECK(family(PluginFault::not_found) == "not_loaded");
    CHECK(family(PluginFault::load_failed) == "not_loaded");
    CHECK(family(PluginFault::no_manifest) == "invalid_flow_module");
    CHECK(family(PluginFault::manifest_mismatch) == "invalid_flow_module");
    CHECK(family(PluginFault::duplicate_slug) == "duplicate_slug");
    CHECK(family(PluginFault::duplicate_module) == "duplicate_module");
  }
}
