#include <string>

#include <doctest/doctest.h>

#include "base/sha256.hpp"
#include "unit/isolated/plugin_rig.hpp"

TEST_SUITE_BEGIN("isolated: what comes of a call");

namespace {
using namespace weir;
using weir::testing::PluginRig;
using weir::testing::result_text;
}  // namespace

TEST_CASE("An isolated step's output arrives as the step wrote it") {
  PluginRig rig;
  CHECK(result_text(rig.run(0, 0, R"({ "a" : [1, 2.50], "b":"é\n" })")) ==
        R"(completed: { "a" : [1, 2.50], "b":"é\n" })");
  CHECK(result_text(rig.run("large")).size() > 8'000'000);
  CHECK(result_text(rig.run(0, 0, "0")) == "completed: 0");
}

TEST_CASE("An isolated step is told the same facts of its call as one in process") {
  PluginRig rig;
  PluginRig beside = PluginRig::in_process(weir::testing::deeds());
  CHECK(result_text(rig.run("facts")) ==
        "completed: \"run_id=run-1;flow=deeds;step=do;attempt=2;task_index=5;flow_input={ id :7};"
        "max_output_bytes=16777216;no_such=none;\"");
  CHECK(result_text(rig.run("facts")) == result_text(beside.run("facts")));
}

TEST_CASE("F3: failures of an isolated step come through as in process") {
  PluginRig rig;
  PluginRig beside = PluginRig::in_process(weir::testing::deeds());
  for (const char* deed :
       {"none", "two", "bad_utf8", "bad_json", "huge", "bad_return", "silent", "silent_for_good",
        "fail", "fail_for_good", "retry", "throw_int", "no_such"}) {
    CAPTURE(deed);
    const std::string isolated = result_text(rig.run(deed));
    CHECK(isolated == result_text(beside.run(deed)));
    CHECK(isolated.starts_with("failed"));
  }
  CHECK(result_text(rig.run("retry")) == "failed busy: again after 1234 ms");
  CHECK(result_text(rig.run("throw_int")) ==
        "failed exception: the step threw something that is not a std::exception");
  CHECK(result_text(rig.run("two")) == "failed_for_good two_outputs: the step returned 2 outputs");
  CHECK(result_text(rig.run("huge")) ==
        "failed_for_good output_too_large: the output has 100000002 bytes, more than max_output "
        "allows: 16777216");
}

TEST_CASE("F3: an isolated step's output is held against the operator's max_output") {
  PluginRig rig;
  rig.max_output_bytes = 10;
  CHECK(result_text(rig.run("fail_for_good")) == "failed_for_good declined: the bank");
  CHECK(result_text(rig.run(0, 0, "[1,2,3,4,5,6]")) ==
        "failed_for_good output_too_large: the output has 13 bytes, more than max_output allows: "
        "10");
}

TEST_CASE("Lines that an isolated step logs stand in the worker's log as any other") {
  PluginRig rig;
  CHECK(result_text(rig.run("log")) == "completed: \"logged\"");
  CHECK(rig.log() ==
        "debug: run run-1 deeds.do: one\n"
        "info: run run-1 deeds.do: two\n"
        "warning: run run-1 deeds.do: three\n"
        "error: run run-1 deeds.do: four \xEF\xBF\xBD\n");
  CHECK(result_text(rig.run("chatter")) == "completed: \"said\"");
}

TEST_CASE("A handler with several threads runs isolated") {
  PluginRig rig;
  CHECK(result_text(rig.run("threads")) == "completed: 10");
}

TEST_CASE("What isolated steps share is made once in a process and ends with it") {
  auto options = weir::testing::isolated_options();
  options.processes = 1;
  PluginRig rig(weir::testing::deeds(), options);
  for (int i = 0; i < 3; ++i) CHECK(result_text(rig.run("resource")) == "completed: 1");
}

TEST_SUITE_END();
