#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "plugin/inspection.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

constexpr std::string_view fill_hint =
    "(fill weir_plugin_v1 as weir/abi/plugin.h says, or let WEIR_PLUGIN do it)";
constexpr std::string_view match_hint =
    "(make weir_plugin_v1 and the note agree, in the same order; WEIR_PLUGIN does)";

// The file's bytes alone show it: lint and load say the same.
std::string refusal_of(std::string_view variant) {
  const PluginFolder folder;
  folder.put(variant);
  return refusal_in(folder);
}

// Lint cannot know: pointers mean something only in memory.
std::string refusal_once_loaded(std::string_view variant) {
  const PluginFolder folder;
  folder.put(variant);
  CHECK(inspect(folder.middle()).has_value());
  return refusal_in_memory(folder);
}

std::string bad_descriptor(std::string_view stage, std::string_view detail) {
  return fmt::format("invalid_flow_module/bad_descriptor at {}: {} {}", stage, detail, fill_hint);
}
std::string invalid_definition(std::string_view rest) {
  return fmt::format("invalid_flow_module/invalid_definition at manifest: {}", rest);
}
std::string mismatch(std::string_view detail) {
  return fmt::format("invalid_flow_module/manifest_mismatch at stage: {} {}", detail, match_hint);
}

}  // namespace

TEST_SUITE("plugin: descriptors") {
  TEST_CASE("plugin case 26: a wrong magic is refused as bad_magic") {
    CHECK(refusal_of("wrong_magic") ==
          "invalid_flow_module/bad_magic at manifest: the object at weir_plugin_v1 does not begin "
          "with "
          "WEIR_ABI_MAGIC (define it with WEIR_PLUGIN, or fill a weir_plugin as weir/abi/plugin.h "
          "says)");
  }

  TEST_CASE("plugin case 26: another major is refused as abi_major") {
    CHECK(refusal_of("wrong_major") ==
          "invalid_flow_module/abi_major at manifest: built for ABI 9, this host uses 1 (rebuild "
          "it with the "
          "headers of this Weir)");
  }

  TEST_CASE("plugin case 26: an impossible struct_size is refused as bad_descriptor") {
    CHECK(refusal_of("struct_too_small") ==
          bad_descriptor("manifest", "struct_size 24; a weir_plugin has at least 96 bytes"));
    CHECK(
        refusal_of("struct_too_big") ==
        bad_descriptor("manifest", "struct_size 1073741824; a weir_plugin has at least 96 bytes"));
    CHECK(refusal_once_loaded("wrong_step_size") ==
          bad_descriptor("stage",
                         "flow \"good\", step \"second\": struct_size 8; 40 to 40 are possible"));
  }

  TEST_CASE("plugin case 27: a wild pointer is refused as bad_descriptor") {
    CHECK(refusal_once_loaded("wild_steps") ==
          bad_descriptor("stage", "flow \"good\": its steps lie outside of this file's memory"));
    CHECK(refusal_once_loaded("wild_null") ==
          bad_descriptor("stage", "flow \"good\": its steps lie outside of this file's memory"));
    CHECK(refusal_once_loaded("wild_string") ==
          bad_descriptor("stage", "its name lies outside of this file's memory: 7 bytes"));
  }

  TEST_CASE("plugin case 27: a length of 2^40 is refused as bad_descriptor") {
    CHECK(refusal_once_loaded("huge_length") ==
          bad_descriptor("stage",
                         "its name lies outside of this file's memory: 1099511627776 bytes"));
    CHECK(refusal_once_loaded("huge_stride") ==
          bad_descriptor("stage", "flow \"good\": its steps: a stride of 2147483640 bytes"));
  }

  TEST_CASE("plugin case 27: 0 and 4000 steps are refused as bad_descriptor") {
    CHECK(refusal_once_loaded("zero_steps") ==
          bad_descriptor("stage", "flow \"good\": 0 steps; 1 to 1024 are possible"));
    CHECK(refusal_once_loaded("four_thousand_steps") ==
          bad_descriptor("stage", "flow \"good\": 4000 steps; 1 to 1024 are possible"));
    CHECK(refusal_of("no_flows") == bad_descriptor("manifest", "0 flows; 1 to 256 are possible"));
  }

  TEST_CASE(
      "plugin case 28: a run that is null or not the plugin's own code is refused as "
      "bad_descriptor") {
    CHECK(refusal_once_loaded("run_null") ==
          bad_descriptor("stage", "flow \"good\", step \"second\": run is null"));
    CHECK(refusal_once_loaded("run_getpid") ==
          bad_descriptor("stage", "flow \"good\", step \"second\": run is not code of this file"));
    CHECK(refusal_once_loaded("run_is_data") ==
          bad_descriptor("stage", "flow \"good\", step \"second\": run is not code of this file"));
  }

  TEST_CASE("D4: a wait and a flow step have no code and are refused with some") {
    for (const std::string_view variant : {"wait_without_code", "child_without_code"}) {
      const PluginFolder folder;
      folder.put(variant);
      const auto loaded = loader().load(folder.middle());
      REQUIRE_MESSAGE(loaded.has_value(), to_string(loaded.error()));
      CHECK((loaded->front().steps[0]->run != nullptr));
      CHECK((loaded->front().steps[1]->run == nullptr));
    }
    CHECK(refusal_once_loaded("wait_with_code") ==
          bad_descriptor("stage",
                         "flow \"good\", step \"second\": run is not null, but a wait step has no "
                         "code"));
  }

  TEST_CASE("plugin case 29: a note that differs from the symbol is refused as manifest_mismatch") {
    CHECK(refusal_once_loaded("note_differs") ==
          mismatch("the manifest it points to is not the one in the note"));
  }

  TEST_CASE(
      "plugin case 29: a descriptor that differs from its own manifest is refused as "
      "manifest_mismatch") {
    CHECK(refusal_once_loaded("other_name") ==
          mismatch("its name is \"by_foot\", in the manifest \"by_hand\""));
    CHECK(refusal_once_loaded("other_step_name") ==
          mismatch(
              "flow \"good\", step \"second\": its slug is \"third\", in the manifest \"second\""));
    CHECK(refusal_once_loaded("one_step_less") ==
          mismatch("flow \"good\": it has 1 steps, in the manifest 2"));
    CHECK(refusal_once_loaded("two_flows_promised") == mismatch("it has 2 flows, its manifest 1"));
  }

  TEST_CASE("plugin case 29: two notes are refused as bad_manifest") {
    CHECK(refusal_of("two_notes") ==
          "invalid_flow_module/bad_manifest at manifest: 2 notes \"Weir\" where one belongs (use "
          "WEIR_PLUGIN once "
          "in a library; it takes any number of flows)");
  }

  TEST_CASE("a library without a note is refused as no_manifest") {
    CHECK(
        refusal_of("no_note") ==
        "invalid_flow_module/no_manifest at manifest: a library without a note \"Weir\": not a "
        "Weir plugin "
        "(add WEIR_PLUGIN(…) to one of its sources, or take the library out of the plugin folder)");
  }

  TEST_CASE("a note that is no JSON is refused as bad_manifest") {
    CHECK(refusal_of("note_is_text").starts_with("invalid_flow_module/bad_manifest at manifest: "));
  }

  TEST_CASE("a definition symbol that is a function is refused as bad_descriptor") {
    CHECK(refusal_of("symbol_is_code") ==
          "invalid_flow_module/bad_descriptor at manifest: weir_plugin_v1 is not an object (define "
          "it "
          "with "
          "WEIR_PLUGIN(…) and let the linker export it; weir_add_plugin() does)");
  }

  TEST_CASE("plugin case 30: a cycle is refused as invalid_definition") {
    CHECK(refusal_of("cycle") ==
          invalid_definition("flow \"good\" has a cycle: first → second → first (each waits for "
                             "the one before it: drop one of these dependencies)"));
  }

  TEST_CASE(
      "plugin case 30: unknown dependencies are refused as invalid_definition and all are told") {
    const std::string told = refusal_of("unknown_dependency");
    CHECK(told.starts_with(invalid_definition(
        "2 faults\n"
        "step \"first\" waits for \"nobody\", which flow \"good\" does not define (add the step, "
        "or "
        "drop the dependency)\n"
        "step \"first\" waits for \"secnd\", which flow \"good\" does not define (did you mean "
        "\"second\"?)")));
    const PluginFolder folder;
    folder.put("unknown_dependency");
    const auto inspection = inspect(folder.middle());
    REQUIRE_FALSE(inspection.has_value());
    REQUIRE(inspection.error().faults.size() == 2);
    CHECK(inspection.error().faults[0].message.contains("\"nobody\""));
    CHECK(inspection.error().faults[1].message.contains("\"secnd\""));
  }

  TEST_CASE("plugin case 30: a duplicate step is refused as invalid_definition") {
    CHECK(refusal_of("duplicate_step") ==
          invalid_definition(
              "step \"first\" of flow \"good\" is defined twice: as step 2, and as step 1 "
              "\"FIRST\" (rename one; names that differ in case alone count as the same)"));
  }

  TEST_CASE("plugin case 30: a slug twice in one plugin is refused as duplicate_slug") {
    CHECK(refusal_of("same_slug_twice").starts_with("duplicate_slug/duplicate_slug at manifest: "));
  }

  TEST_CASE("a plugin that needs an extension this host has not is refused as requires_extension") {
    const PluginFolder folder;
    folder.put("requires_unknown");
    CHECK(refusal_in(folder) ==
          "invalid_flow_module/requires_extension at manifest: it needs the extension "
          "\"weir.resource.v1\", which this Weir does not have (did you mean "
          "\"weir.resources.v1\"?)");
  }

  TEST_CASE("a plugin that needs every extension this host has is a good one") {
    const PluginFolder folder;
    folder.put("requires_known");
    check_good(folder);
  }
}
