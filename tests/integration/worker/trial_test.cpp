// A worker that holds a trial of suspects, which a worker of the test left behind in a crash.
#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "integration/worker/worker_rig.hpp"
#include "store/flow_store.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "store/share_store.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

template <class T>
T must(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), to_string(result.error()));
  return *std::move(result);
}

// Elements of a map that tell which of them ran, and how many at once.
struct Watched {
  std::mutex mutex;
  std::set<std::string> ran;
  int running = 0, most = 0;
  TestFlow flow{"wide", {{"each", [this](TestCall& call) { return run(call); }, {}, "map"}}};

  std::int32_t run(TestCall& call) {
    {
      const std::scoped_lock lock(mutex);
      ran.insert(std::string(call.input));
      most = std::max(most, ++running);
    }
    std::this_thread::sleep_for(50ms);
    const std::scoped_lock lock(mutex);
    --running;
    return call.output(call.input);
  }
  std::set<std::string> seen() {
    const std::scoped_lock lock(mutex);
    return ran;
  }
};

// The worker of a process that crashes.
struct Crashing {
  explicit Crashing(const TestFlow& flow) {
    version = must(session->flows().register_version(flow.module().definition));
  }
  ExchangeReply exchange(std::size_t claims, std::vector<InFlightTask> in_flight = {}) {
    return must(session->exchange({.worker = worker,
                                   .sequence = ++sequence,
                                   .lease = 600s,
                                   .settled = {},
                                   .ended = {},
                                   .released = {},
                                   .in_flight = std::move(in_flight),
                                   .versions = {version},
                                   .claims_max = claims}));
  }
  void crashes(std::vector<InFlightTask> suspects) {
    CHECK(must(postgres::end_crashed_worker(database(),
                                            {.worker = worker, .suspects = std::move(suspects)})));
  }
  std::unique_ptr<WorkerStore> session = must(postgres::open_worker_store(database()));
  WorkerId worker = must(session->join({.host = "here", .pid = 42, .slots = 4}, 600s));
  std::int64_t sequence = 0;
  VersionId version = 0;
};

std::vector<InFlightTask> elements(RunKey run, const std::vector<std::size_t>& indexes) {
  std::vector<InFlightTask> all;
  for (const std::size_t index : indexes)
    all.push_back({.run = run, .task = {.step = 0, .index = index}});
  return all;
}

// Holds a trial to its end.
void hold_trial(const TestFlow& flow, std::vector<WorkerId> of,
                std::vector<InFlightTask> suspects) {
  std::atomic<bool> over = false;
  WorkerOptions options = RunningWorker::quick();
  options.sweeps = false;
  options.trial = {
      .of = std::move(of), .suspects = std::move(suspects), .on_end = [&over] { over = true; }};
  RunningWorker trial({&flow}, std::move(options));
  CHECK(eventually([&] { return over.load(); }));
  trial.drain();
  CHECK(trial.join().has_value());
}

}  // namespace

TEST_SUITE_BEGIN("workers: trials");

TEST_CASE_FIXTURE(EmptyDatabase, "F10: a trial runs the suspects in halves and the run goes on") {
  Watched watched;
  TestClient client;
  Crashing crashing(watched.flow);
  const std::string id = client.start("wide", "[0, 1, 2, 3, 4, 5]");
  const RunKey run = crashing.exchange(1).claimed.at(0).run;
  crashing.exchange(0, elements(run, {0, 1, 2, 3, 4}));  // the last one has no slot yet
  crashing.crashes(elements(run, {0, 1, 2, 3}));
  hold_trial(watched.flow, {crashing.worker}, elements(run, {0, 1, 2, 3}));
  CHECK(watched.seen() == std::set<std::string>{"0", "1", "2", "3"});
  CHECK(watched.most == 2);
  const RunningWorker next({&watched.flow});
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.journal where outcome <> 1 or attempt <> 1") == "0");
}

TEST_CASE_FIXTURE(EmptyDatabase, "F10: suspect elements of shares run alone, one after the other") {
  Watched watched;
  TestClient client;
  Crashing owner(watched.flow), helper(watched.flow);
  const std::string id = client.start("wide", "[0, 1, 2, 3, 4, 5, 6, 7]");
  const RunKey run = owner.exchange(1).claimed.at(0).run;
  std::vector<Json> inputs;
  for (int i = 2; i < 8; ++i) inputs.push_back(Json::number(i));
  must(owner.session->shares()->offer_shares(
      owner.worker, run,
      std::array{OfferedRange{.step = 0, .attempt = 1, .first = 2, .inputs = inputs}}));
  REQUIRE(must(helper.session->shares()->take_shares(helper.worker, {{helper.version}}, 1, {}))
              .size() == 1);
  helper.exchange(0, elements(run, {2, 3, 4, 5, 7}));
  helper.crashes(elements(run, {2, 4, 7}));
  hold_trial(watched.flow, {helper.worker}, elements(run, {2, 4, 7}));
  CHECK(watched.seen() == std::set<std::string>{"2", "4", "7"});
  CHECK(watched.most == 1);
  must(owner.session->leave(owner.worker));
  const RunningWorker next({&watched.flow});
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(query_value("select count(*) from weir.journal where outcome <> 1 or attempt <> 1") == "0");
  CHECK(watched.seen().size() == 8);
}

TEST_CASE_FIXTURE(EmptyDatabase, "F10: a trial ends when it can claim nothing") {
  Watched watched;
  Crashing crashing(watched.flow);
  crashing.crashes({});
  hold_trial(watched.flow, {crashing.worker}, elements(1, {0}));
  CHECK(watched.seen().empty());
}

TEST_SUITE_END();
