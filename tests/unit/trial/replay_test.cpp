#include "trial/replay.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "trial/trial_flow.hpp"

namespace weir {
namespace {

Json json(std::string_view text) { return Json::parse(std::string(text)).value(); }

// hello_c as it was recorded: split, greet[0], greet[1], compose.
RecordedRun recorded() {
  RecordedRun run{.flow = "hello_c",
                  .module = "examples.HelloC",
                  .definition = json(R"({"slug":"hello_c","steps":[
                    {"slug":"split","kind":"single","depends_on":[]},
                    {"slug":"greet","kind":"map","depends_on":["split"]},
                    {"slug":"compose","kind":"single","depends_on":["greet"]}]})"),
                  .input = json(R"({"name": "Ada Lovelace"})"),
                  .rows = {}};
  const auto add = [&](std::size_t step, std::size_t index, std::string_view output) {
    run.rows.push_back({.task = {step, index}, .output = json(output)});
  };
  add(0, 0, R"(["Ada", "Lovelace"])");
  add(1, 0, R"("Hello, Ada!")");
  add(1, 1, R"("Hello, Lovelace!")");
  add(2, 0, R"({"text": "Hello, Ada! Hello, Lovelace!"})");
  return run;
}

std::string verdicts(const RecordedRun& run) {
  const auto plugin = loaded_plugin(HELLO_C);
  REQUIRE(plugin.has_value());
  const auto replayed = replay(run, FlowHandle(flow_of(*plugin, "").value()));
  if (!replayed) return replayed.error().kind;
  std::string all;
  for (const ReplayedAttempt& each : *replayed)
    all += (all.empty() ? "" : ", ") + std::string(name(each.verdict)) + each.difference.pointer;
  return all;
}

}  // namespace

TEST_SUITE("trial: replay") {
  TEST_CASE("the same build gives the same outputs") {
    CHECK(verdicts(recorded()) == "same, same, same, same");
  }

  TEST_CASE("another output is told with its place") {
    RecordedRun run = recorded();
    run.rows[1].output = json(R"("Hi, Ada!")");
    run.rows[3].output = json(R"({"text": "Hi, Ada!"})");
    CHECK(verdicts(run) == "same, differs, same, differs/text");
  }

  TEST_CASE("a failure that comes again is the same and one that does not is no difference") {
    RecordedRun run = recorded();
    run.rows.insert(run.rows.begin(),
                    {.task = {0, 0}, .outcome = Outcome::failed, .error = "no answer"});
    run.rows[1].attempt = 2;
    CHECK(verdicts(run) == "completes, same, same, same, same");
    run.input = json(R"({"name": ""})");
    run.rows.resize(1);
    CHECK(verdicts(run) == "same");
  }

  TEST_CASE("steps that are gone and attempts without a result are told and passed over") {
    RecordedRun run = recorded();
    run.definition = json(R"({"slug":"hello_c","steps":[{"slug":"gone"}]})");
    run.rows = {{.task = {0, 0}, .outcome = Outcome::lost},
                {.task = {0, 0}, .attempt = 2, .output = json("1")}};
    CHECK(verdicts(run) == "no such step");
    run.rows[1].task.index = 7;
    CHECK(verdicts(run) == "impossible_journal_row");
  }
}

}  // namespace weir
