#include "worker/trial.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"
#include "worker/run_advancer.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// A loop that holds a trial, which tells what its slots are given.
struct Trying : TestLoop {
  explicit Trying(std::vector<InFlightTask> suspects) {
    spec = {.of = {1}, .suspects = std::move(suspects), .on_end = [this] { ++ends; }};
    options.slots = 8;
    loop.trial.emplace(spec);
  }

  OwnedRun& claims(const TestFlow& flow, RunKey key, const char* input = "null") {
    OwnedRun& run = add_run(loop.runs, flow, claim_of(key, input));
    loop.trial->adopt(key, run);
    return run;
  }
  // One round up to the exchange, and its answer: what begins with it.
  std::string round() {
    slots.given.clear();
    attempts.collect(now);
    advancer.advance(now);
    loop.trial->turn(loop.runs);
    attempts.pick([](const OwnedRun&) { return false; }, [](RunKey, OwnedRun&, std::size_t) {});
    start_stated();
    released.clear();
    for (const ReleasedRun& each : loop.outbox.request().released) released.push_back(each.run);
    loop.runs.remove_leaving([](RunKey) { return true; });
    exchange(loop.outbox, {}, now);
    return slots.text();
  }
  void end(std::size_t which, const AttemptResult& result = completes("1")) {
    const auto attempt = slots.given.at(which);
    FakeSlots::begin(*attempt, now);
    slots.end(attempt, result, now);
  }
  std::string end_all_and_round() {
    for (std::size_t i = 0; i < slots.given.size(); ++i) end(i);
    return round();
  }

  SuspectTrial spec;
  int ends = 0;
  std::vector<RunKey> released;
  RunAdvancer advancer{loop, attempts, [](const OwnedRun&, Steady) { return false; }};
};

InFlightTask suspect(RunKey run, std::size_t index, int attempt = 1) {
  return {.run = run, .task = {.step = 0, .index = index}, .attempt = attempt};
}

const TestFlow& wide() {
  static const TestFlow flow("f", {{"each", returns("1"), {}, "map"}});
  return flow;
}

}  // namespace

TEST_SUITE("worker: trials") {
  TEST_CASE("F10: suspects run in halves and a half begins when the one before has ended") {
    Trying worker({suspect(7, 0), suspect(7, 1), suspect(8, 0), suspect(8, 1), suspect(8, 2)});
    worker.claims(wide(), 7, "[1, 2]");
    worker.claims(wide(), 8, "[1, 2, 3]");
    CHECK(worker.round() == "7:0.0#1 8:0.0#1 7:0.1#1");
    worker.end(0);
    CHECK(worker.round() == "");
    CHECK(worker.slots.given.empty());
  }

  TEST_CASE("F10: the last suspect runs alone") {
    Trying worker({suspect(7, 0), suspect(7, 1), suspect(7, 2), suspect(7, 3)});
    worker.claims(wide(), 7, "[1, 2, 3, 4]");
    CHECK(worker.round() == "7:0.0#1 7:0.1#1");
    CHECK(worker.end_all_and_round() == "7:0.2#1");
    CHECK(worker.end_all_and_round() == "7:0.3#1");
  }

  TEST_CASE("F10: nothing but suspects runs in a run on trial") {
    const TestFlow flow("f",
                        {{"a", returns("1")}, {"b", returns("1")}, {"c", returns("1"), {"a"}}});
    Trying worker({suspect(7, 0)});
    worker.claims(flow, 7);
    CHECK(worker.round() == "7:0.0#1");
    CHECK(worker.end_all_and_round() == "");
  }

  TEST_CASE("F10: a run is released when all its suspects have run and not before") {
    Trying worker({suspect(7, 0), suspect(8, 0), suspect(8, 1)});
    worker.claims(wide(), 7, "[1, 2]");
    worker.claims(wide(), 8, "[1, 2, 3]");
    CHECK(worker.round() == "7:0.0#1 8:0.0#1");
    CHECK(worker.end_all_and_round() == "8:0.1#1");
    CHECK(worker.released == std::vector<RunKey>{7});
    CHECK(worker.end_all_and_round() == "");
    CHECK(worker.released == std::vector<RunKey>{8});
    CHECK(worker.loop.runs.empty());
  }

  TEST_CASE("F10: an attempt that has ended otherwise is no suspect") {
    Trying worker({suspect(7, 0, 2), suspect(7, 1)});
    worker.claims(wide(), 7, "[1, 2]");
    CHECK(worker.round() == "7:0.1#1");
  }

  TEST_CASE("F10: a suspect that fails is not tried again") {
    Trying worker({suspect(7, 0)});
    worker.claims(wide(), 7, "[1]");
    CHECK(worker.round() == "7:0.0#1");
    worker.end(0, fails());
    CHECK(worker.round() == "");
    CHECK(worker.released == std::vector<RunKey>{7});
  }

  TEST_CASE("F10: a suspect whose run was not claimed holds nothing up") {
    Trying worker({suspect(6, 0), suspect(7, 0)});
    worker.claims(wide(), 7, "[1]");
    CHECK(worker.round() == "7:0.0#1");
    worker.end_all_and_round();
    CHECK(worker.loop.runs.empty());
  }

  TEST_CASE("F10: the end of a trial is told once") {
    Trying worker({});
    worker.loop.trial->end();
    worker.loop.trial->end();
    CHECK(worker.ends == 1);
  }
}
