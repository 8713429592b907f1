#include "worker/offered_shares.hpp"

#include <doctest/doctest.h>

#include "integration/worker/test_flow.hpp"
#include "unit/worker/fake_store.hpp"
#include "unit/worker/parts.hpp"
#include "unit/worker/start.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

constexpr RunKey shared_run = 7;

JournalRow row_of(std::size_t index, int attempt, Outcome outcome) {
  JournalRow row{.task = {.step = 0, .index = index},
                 .attempt = attempt,
                 .outcome = outcome,
                 .started_at = start,
                 .ended_at = start};
  if (outcome == Outcome::completed) row.output = Json::trusted("1");
  return row;
}

// A store in which others hold what `held` says and have done what `notifications` says.
struct Others : FakeStore {
  std::vector<HeldRange> held;
  std::vector<ShareResult> notifications;

  Result<std::vector<HeldRange>> take_back_shares(WorkerId, std::span<const RunKey>) override {
    return held;
  }
  Result<std::vector<ShareResult>> fetch_share_results(WorkerId, std::span<const RunKey>,
                                                       std::span<const std::int64_t>) override {
    return std::exchange(notifications, {});
  }
};

// The owner of a run of a map of two elements, whose first attempts were lost with who ran them.
class Owner {
 public:
  Owner() : flow_("wide", {{"each", returns("1"), {}, "map"}}), offered_(&others, log_) {
    const FlowHandle module(flow_.module());
    runs_.add(
        {.run = shared_run, .id = "an-id", .input = Json::trusted("[1, 2]"), .available_at = start},
        module, {module->definition.steps()[0].options}, std::nullopt);
  }

  // Claims it, with the shares that others hold.
  void restore_shared() {
    OfferedShares::restore_shared(others.held, shared_run, run(), lost_);
    for (const JournalRow& row : lost_) REQUIRE(run().apply(row).has_value());
  }

  void turn() {
    offered_.notify();
    offered_.turn(1, now_, runs_, {}, [](RunKey, OwnedRun& each, const JournalRow& row) {
      REQUIRE(each.apply(row).has_value());
    });
    run().refresh(start);
    now_ += std::chrono::seconds(1);
  }

  OwnedRun& run() { return runs_.at(shared_run); }
  const std::vector<JournalRow>& lost() const { return lost_; }

  Others others;

 private:
  TestFlow flow_;
  const std::vector<JournalRow> lost_ = {row_of(0, 1, Outcome::lost), row_of(1, 1, Outcome::lost)};
  Log log_;
  RunBook runs_;
  OfferedShares offered_;
  Steady now_{std::chrono::hours(1)};
};

}  // namespace

TEST_SUITE("worker: offered shares") {
  TEST_CASE("L7: notifications of an attempt that is over leave the one that others run to them") {
    Owner owner;
    owner.others.held = {{.share = 2, .run = shared_run, .attempt = 2, .first = 0, .last = 1}};
    owner.restore_shared();
    // Its owner before notify nobody that it had heard of these.
    owner.others.notifications = {{1, shared_run, owner.lost()[0]},
                                  {1, shared_run, owner.lost()[1]}};
    owner.turn();
    CHECK(owner.run().due() == 0);
    CHECK(owner.run().shared.size() == 2);
    owner.others.notifications = {{2, shared_run, row_of(0, 2, Outcome::completed)},
                                  {2, shared_run, row_of(1, 2, Outcome::completed)}};
    owner.turn();
    CHECK(owner.run().shared.empty());
    CHECK(owner.run().state().end().has_value());
  }

  TEST_CASE(
      "L7: of a step that defers its calls others are offered as many as they have room for") {
    const TestFlow flow("wide", {{"each", returns("1"), {}, "map"}});
    struct Case {
      bool defers;
      std::size_t room;     // of the helper
      std::size_t waiting;  // for room of the owner, whose window takes all that is due
      std::vector<std::size_t> ranges;
    };
    for (const Case& each : std::vector<Case>{{false, 1'000, 0, {8, 8}},
                                              {true, 1'000, 0, {500, 375}},
                                              {true, 100'000, 0, {500, 375}},
                                              {true, 100, 0, {100, 100}},
                                              {true, 0, 0, {8, 8}},
                                              {true, 1'000, 2'000, {500, 375}},
                                              {false, 1'000, 2'000, {}}}) {
      CAPTURE(each.defers);
      CAPTURE(each.room);
      CAPTURE(each.waiting);
      struct Idle : Others {
        explicit Idle(std::size_t helper_room) : room(helper_room) {}
        std::size_t room;
        std::vector<std::size_t> ranges;
        Result<Helpers> helpers_for(WorkerId, RunKey) override {
          return Helpers{.slots = {8}, .async_calls = {room}};
        }
        Result<void> offer_shares(WorkerId, RunKey,
                                  std::span<const OfferedRange> offered) override {
          for (const OfferedRange& range : offered) ranges.push_back(range.inputs.size());
          return {};
        }
      } store(each.room);
      Log log;
      RunBook runs;
      OfferedShares offered(&store, log);
      std::string input = "[0";
      for (int i = 1; i < 2'000; ++i) input += ",0";
      OwnedRun& run = add_run(runs, flow, 7, (input + "]").c_str());
      run.refresh(start);
      // As nothing has ended yet, a task seems to take a second.
      offered.turn(1, steady_start, runs,
                   {.slots = 8,
                    .window = each.waiting == 0 ? 8U : 3'000U,
                    .due_for_room = each.waiting,
                    .defers = [&](const weir_step*) { return each.defers; }},
                   [](RunKey, OwnedRun&, const JournalRow&) {});
      CHECK(store.ranges == each.ranges);
    }
  }

  TEST_CASE("L7: a share of an attempt that is over holds back no later one") {
    Owner owner;
    owner.others.held = {{.share = 1, .run = shared_run, .attempt = 1, .first = 0, .last = 1},
                         {.share = 2, .run = shared_run, .attempt = 2, .first = 0, .last = 1}};
    owner.restore_shared();
    owner.others.held.pop_back();  // nobody took the second one
    owner.turn();
    CHECK(owner.run().due() == 2);
    CHECK(owner.run().shared.empty());
  }

  TEST_CASE("L7: what is taken back is due once whether its run was looked at or not") {
    for (const bool looked_at : {false, true}) {
      CAPTURE(looked_at);
      Owner owner;
      owner.others.held = {{.share = 2, .run = shared_run, .attempt = 2, .first = 0, .last = 1}};
      owner.restore_shared();
      if (looked_at) owner.turn();
      owner.others.held.clear();
      owner.turn();
      CHECK(owner.run().due() == 2);
      CHECK(owner.run().shared.empty());
    }
  }

  TEST_CASE("L7: an offer without an answer is not repeated once its run was claimed again") {
    struct Silent : FakeStore {
      int offers = 0;
      Result<Helpers> helpers_for(WorkerId, RunKey) override {
        return Helpers{.slots = {1}, .async_calls = {0}, .available = 0};
      }
      Result<void> offer_shares(WorkerId, RunKey, std::span<const OfferedRange>) override {
        ++offers;
        return refused(ErrorCode::unavailable);
      }
    } silent;
    const TestFlow flow("wide", {{"each", returns("1"), {}, "map"}});
    const FlowHandle module(flow.module());
    Log log;
    OfferedShares offered(&silent, log);
    Steady now{std::chrono::hours(1)};
    const auto claim_and_turn = [&](bool claims) {
      RunBook runs;
      if (claims) offered.note_claimed(shared_run);
      runs.add({.run = shared_run, .id = "an-id", .input = Json::trusted("[1, 2, 3]")}, module,
               {module->definition.steps()[0].options}, std::nullopt);
      runs.at(shared_run).refresh(start);
      now += std::chrono::seconds(10);
      // Nothing is due that could be offered anew the second time: its slots take all of it.
      offered.turn(1, now, runs, {.slots = claims ? 0U : 1U, .window = claims ? 9U : 1U},
                   [](RunKey, OwnedRun&, const JournalRow&) {});
    };
    claim_and_turn(false);
    CHECK(silent.offers == 1);
    claim_and_turn(true);
    CHECK(silent.offers == 1);
  }

  TEST_CASE("F5: an offer without an answer is not repeated once its step was skipped") {
    struct Silent : FakeStore {
      int offers = 0, drops = 0;
      Result<Helpers> helpers_for(WorkerId, RunKey) override {
        return Helpers{.slots = {1}, .async_calls = {0}, .available = 0};
      }
      Result<void> offer_shares(WorkerId, RunKey, std::span<const OfferedRange>) override {
        ++offers;
        return refused(ErrorCode::unavailable);
      }
      Result<void> drop_shares(WorkerId, RunKey, std::size_t) override {
        ++drops;
        return {};
      }
    } silent;
    TestFlow::Step skipped{"each", returns("1"), {}, "map", {.max_attempts = 1}};
    skipped.when_exhausted = "skip";
    const TestFlow flow("wide", {skipped, {"last", returns("1")}});
    const FlowHandle module(flow.module());
    Log log;
    OfferedShares offered(&silent, log);
    RunBook runs;
    OwnedRun& run =
        runs.add({.run = shared_run, .id = "an-id", .input = Json::trusted("[1, 2, 3]")}, module,
                 {module->definition.steps()[0].options, module->definition.steps()[1].options},
                 std::nullopt);
    const std::size_t each = module->definition.steps()[0].slug.view() == "each" ? 0 : 1;
    Steady now{std::chrono::hours(1)};
    const auto turn = [&] {
      run.refresh(start);
      now += std::chrono::seconds(10);
      offered.turn(1, now, runs, {.slots = 1U, .window = 1U},
                   [](RunKey, OwnedRun&, const JournalRow&) {});
    };
    turn();
    CHECK(silent.offers == 1);
    REQUIRE_FALSE(run.shared.empty());
    JournalRow failed = row_of(run.take_due().task.index, 1, Outcome::failed);
    failed.task.step = each;
    failed.error_code = "test";
    REQUIRE(run.apply(failed).has_value());
    turn();
    CHECK(silent.drops == 1);
    CHECK(silent.offers == 1);
  }

  TEST_CASE("L7: of two shares of an element the later attempt counts") {
    Owner owner;
    owner.others.held = {{.share = 1, .run = shared_run, .attempt = 2, .first = 0, .last = 1},
                         {.share = 2, .run = shared_run, .attempt = 1, .first = 0, .last = 1}};
    owner.restore_shared();
    owner.turn();
    CHECK(owner.run().due() == 0);
    CHECK(owner.run().shared.at({.step = 0, .index = 1}) == 2);
  }
}
