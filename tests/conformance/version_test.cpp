#include <algorithm>
#include <set>
#include <thread>

#include "conformance/test_worker.hpp"

using namespace weir;
using namespace weir::testing;

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
