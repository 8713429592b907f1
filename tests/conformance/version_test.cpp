#include <algorithm>
#include <set>
#include <thread>

#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// Two versions of a flow, and a worker that has said of neither that it has it.
struct Offered {
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  std::unique_ptr<RunStore> client = stores->client_session();
  TestWorker worker{*stores};
  VersionId first = worker.loads(with_attempts(1)), second = worker.loads(with_attempts(2));

  // The version of a new run.
  int started(const StartOptions& options = {}) const {
    return must(client->summary(start_one(*client, "null", options).id)).version;
  }
  std::string waiting() const {
    std::string text;
    for (const WaitingVersion& each : waiting_versions(must(client->all_versions())))
      text += each.text + '\n';
    return text;
  }
  std::int64_t open_runs_of(int version) const {
    for (const VersionReport& each : must(client->versions("totals")))
      if (each.number == version) return each.open_runs;
    return -1;
  }
};

}  // namespace

TEST_SUITE("store: versions") {
  TEST_CASE("D7: registering the same definition again changes nothing") {
    const auto stores = fresh_stores();
    TestWorker worker(*stores);
    const VersionId first = worker.loads(one_step());
    CHECK(worker.loads(one_step()) == first);
    CHECK(must(stores->client_session()->flow("totals", {})).version == 1);
  }

  TEST_CASE("D7: changed options are the next version") {
    const auto stores = fresh_stores();
    const auto client = stores->client_session();
    TestWorker worker(*stores);
    const VersionId first = worker.loads(with_attempts(1));
    const VersionId second = worker.loads(with_attempts(2));
    CHECK(second != first);
    CHECK(must(client->flow("totals", {})).version == 2);
    CHECK(must(client->flow("totals", 1)).fingerprint == built(with_attempts(1)).fingerprint());
    CHECK(must(client->flow("totals", {})).fingerprint == built(with_attempts(2)).fingerprint());
    CHECK(worker.loads(with_attempts(1)) == first);
    CHECK(must(client->flow("totals", {})).version == 2);
  }

  TEST_CASE("D7: the same conditions in other words are the same version") {
    const auto stores = fresh_stores();
    TestWorker worker(*stores);
    FlowDraft draft = flow({step("a"), of_kind("wait", "b", {"a"}), of_kind("flow", "c", {"b"})});
    draft.steps[0].unless = json(R"({"x": 1, "y": null})");
    draft.steps[2].flow = "child";
    const VersionId first = worker.loads(draft);
    draft.steps[0].unless = json(R"({"y":null,"x":1})");
    draft.steps[0].when_unmet = "skip";
    draft.steps[1].signal = "b";
    CHECK(worker.loads(draft) == first);
    draft.steps[0].unless = json("null");
    CHECK(worker.loads(draft) != first);
  }

  TEST_CASE("D6: versions are counted for each flow") {
    const auto stores = fresh_stores();
    TestWorker worker(*stores);
    worker.loads(with_attempts(1));
    worker.loads(with_attempts(2));
    worker.loads(named("other", one_step()));
    CHECK(must(stores->client_session()->flow("other", {})).version == 1);
  }

  TEST_CASE("D6: a changed input schema is kept under the same version") {
    const auto stores = fresh_stores();
    const auto client = stores->client_session();
    TestWorker worker(*stores);
    FlowDraft draft = one_step();
    const VersionId first = worker.loads(draft);
    CHECK_FALSE(must(client->flow("totals", {})).input_schema.has_value());
    draft.input_schema = json(R"({"type": "object"})");
    CHECK(worker.loads(draft) == first);
    CHECK(must(client->flow("totals", {})).input_schema->text() == R"({"type": "object"})");
  }

  TEST_CASE("D1: a slug that differs from another in case alone is refused") {
    const auto stores = fresh_stores();
    TestWorker worker(*stores);
    worker.loads(one_step());
    const auto refused =
        worker.session->flows().register_version(built(named("Totals", one_step())));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::conflict);
    CHECK(refused.error().kind == "duplicate_slug");
    CHECK(refused.error().message ==
          "slug \"Totals\" differs only in case from flow \"totals\" of this database");
    CHECK(refused.error().hint == "rename one of them");
    CHECK_FALSE(stores->client_session()->flow("Totals", {}).has_value());
  }

  TEST_CASE("D6: workers that register at once agree on the numbers") {
    const auto stores = fresh_stores();
    constexpr std::size_t threads_count = 8;
    std::vector<std::vector<VersionId>> found(threads_count);
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < threads_count; ++i)
        threads.emplace_back([&, i, session = std::shared_ptr(stores->worker_session())] {
          for (std::size_t version = 0; version < 4; ++version)
            found[i].push_back(
                session->flows()
                    .register_version(built(with_attempts(1 + static_cast<int>((version + i) % 4))))
                    .value());
          std::ranges::rotate(found[i], found[i].end() - static_cast<std::ptrdiff_t>(i % 4));
        });
    }
    for (const auto& mine : found) CHECK(mine == found[0]);
    CHECK(std::set(found[0].begin(), found[0].end()).size() == 4);
    CHECK(must(stores->client_session()->flow("totals", {})).version == 4);
  }

  TEST_CASE("V1: a plugin has one number whatever its path") {
    const auto stores = fresh_stores();
    TestWorker worker(*stores);
    const PluginId first =
        must(worker.session->flows().register_plugin(std::string(64, 'a'), "/one.so"));
    CHECK(must(worker.session->flows().register_plugin(std::string(64, 'a'), "/two.so")) == first);
    CHECK(must(worker.session->flows().register_plugin(std::string(64, 'b'), "/one.so")) != first);
  }

  TEST_CASE("V5: a start takes the newest version that a live worker has") {
    Offered a;
    CHECK(a.started() == 2);  // nobody has any: the newest registered
    a.worker.serves({{a.first, {}}});
    CHECK(a.started() == 1);  // 2 was rolled back
    CHECK(must(a.client->flow("totals", {})).version == 1);
    const auto unknown = a.client->flow("totals", 7);
    REQUIRE_FALSE(unknown.has_value());
    CHECK(unknown.error().hint == "the newest version is 2");
    TestWorker other(*a.stores);
    other.serves({{a.second, {}}});
    CHECK(a.started() == 2);
    must(other.session->leave(other.id));
    CHECK(a.started() == 1);
    CHECK(a.started({.version = 2}) == 2);
  }

  TEST_CASE("V5: a version that is there for open runs only takes no starts") {
    Offered a;
    a.worker.serves({{a.first, {}}, {a.second, {.offered = false}}});
    CHECK(a.started() == 1);
    a.worker.serves({{a.first, {.offered = false}}, {a.second, {}}});
    CHECK(a.started() == 2);
  }

  TEST_CASE("V5: a version in quarantine takes starts which wait with its runs") {
    Offered a;
    a.worker.serves({{a.first, {.offered = false}}, {a.second, {.barred = true}}});
    CHECK(a.started() == 2);
    const auto versions = must(a.client->versions("totals"));
    CHECK(versions[0].workers == 0);
    CHECK(versions[0].quarantined == 1);
    CHECK(versions[1].workers == 1);
    CHECK(a.waiting() ==
          "flow totals: 1 open run and new ones wait for version 2, whose plugin is in quarantine "
          "(weir plugins list says why and until when)\n");
  }

  TEST_CASE("V5: while no worker is alive a start takes what the last ones had") {
    Offered a;
    a.worker.serves({{a.first, {}}});
    a.worker.lapses(*a.client);
    CHECK(a.started() == 1);
    TestWorker stranger(*a.stores);
    stranger.serves({{stranger.loads(named("other", one_step())), {}}});
    CHECK(a.started() == 1);
  }

  TEST_CASE("V5: a child run and a retried run are no exception") {
    Offered a;
    a.worker.serves({{a.first, {}}});
    FlowDraft parent = named("parent", flow({of_kind("flow", "c")}));
    parent.steps[0].flow = "totals";
    a.worker.versions = {a.worker.loads(parent)};
    const auto started = must(a.client->start("parent", {json("1")}, {}));
    const ClaimedRun run = a.worker.claim_one();
    must(a.worker.starts_child(run.run, 0, 1, "totals", json("1")));
    CHECK(a.open_runs_of(1) == 1);
    const std::string id = start_one(*a.client).id;
    must(a.client->cancel(id, "x"));
    a.worker.serves({{a.second, {}}});
    must(a.client->retry(id));  // V1: it keeps its version
    CHECK(must(a.client->summary(id)).version == 1);
  }

  TEST_CASE("V5: adopting pins the version that starts take") {
    Offered a;
    a.worker.serves({{a.first, {}}, {a.second, {}}});
    must(a.client->adopt("totals", 2, 1));
    CHECK(a.started() == 1);
    CHECK(a.started({.version = 2}) == 1);
  }

  TEST_CASE("V4: the versions say what runs wait for and which takes starts") {
    Offered a;
    CHECK(a.started() == 2);
    CHECK(a.waiting() ==
          "flow totals: 1 open run and new ones wait for version 2, which no live worker has "
          "(start weir serve with its plugin)\n");
    a.worker.serves({{a.first, {}}});
    const auto versions = must(a.client->versions("totals"));
    CHECK_FALSE(versions[0].takes_starts);
    CHECK_FALSE(versions[0].safe_to_remove);
    CHECK(versions[1].takes_starts);
    CHECK_FALSE(versions[1].safe_to_remove);
    CHECK(a.waiting() ==
          "flow totals: 1 open run waits for version 2, which no live worker has (install its "
          "plugin again, or move them: weir flows adopt totals --from 2 --to 1)\n");
    must(a.client->adopt("totals", 2, 1));
    CHECK(a.waiting() == "");
  }

  TEST_CASE("a flow of a thousand steps is registered whole") {
    const auto stores = fresh_stores();
    if (!stores->can(Capability::step_reports)) return;
    TestWorker worker(*stores);
    std::vector<FlowDraft::Step> steps = {of_kind("map", "s0")};
    for (std::size_t i = 1; i < FlowDefinition::steps_max; ++i)
      steps.push_back(of_kind("map", "s" + std::to_string(i), {"s" + std::to_string(i - 1)}));
    worker.loads(flow(std::move(steps)));
    const auto client = stores->client_session();
    const RunReport report = must(client->report(start_one(*client, "[1,2]").id));
    REQUIRE(report.steps.size() == FlowDefinition::steps_max);
    CHECK(report.steps.back().tasks == 2);
    CHECK(report.steps.back().status == "waiting");
  }
}
