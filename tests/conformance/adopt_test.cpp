#include <algorithm>

#include "conformance/test_worker.hpp"
#include "support/eventually.hpp"
#include "unit/definition/compatibility_cases.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// A flow with two compatible versions, both loaded by one worker.
struct TwoVersions {
  std::unique_ptr<StoresUnderTest> stores = fresh_stores();
  std::unique_ptr<RunStore> client = stores->client_session();
  TestWorker worker{*stores};
  VersionId first = worker.loads(with_attempts(1));
  VersionId second = 0;

  void second_comes() { second = worker.loads(with_attempts(2)); }
  std::string started() { return start_one(*client).id; }
  int version_of(const std::string& id) { return must(client->summary(id)).version; }
  VersionReport report(int number) {
    for (const VersionReport& each : must(client->versions("totals")))
      if (each.number == number) return each;
    FAIL("no version " << number);
    return {};
  }
};

}  // namespace

TEST_SUITE("store: adopt") {
  TEST_CASE("V3: open runs that nobody holds go on with the newest version at once") {
    TwoVersions a;
    const std::string id = a.started();
    a.second_comes();
    const Adoption adoption = must(a.client->adopt("totals", 1, {}));
    CHECK(adoption.version == 2);
    CHECK(adoption.moved == 1);
    CHECK(adoption.held == 0);
    CHECK(a.version_of(id) == 2);
    CHECK(a.worker.claim_one().version == a.second);
  }

  TEST_CASE("V3: a run that sleeps is moved too") {
    TwoVersions a;
    const std::string id = start_one(*a.client, "null", {.delay = std::chrono::hours(1)}).id;
    a.second_comes();
    CHECK(must(a.client->adopt("totals", 1, {})).moved == 1);
    CHECK(a.version_of(id) == 2);
  }

  TEST_CASE("V3: a run that a worker holds is moved when it is given back") {
    TwoVersions a;
    const std::string id = a.started();
    const ClaimedRun run = a.worker.claim_one();
    a.second_comes();
    const Adoption adoption = must(a.client->adopt("totals", 1, {}));
    CHECK(adoption.moved == 0);
    CHECK(adoption.held == 1);
    CHECK(a.version_of(id) == 1);
    CHECK(a.report(1).adopted_by == 2);
    ExchangeRequest request = a.worker.next();
    request.released.push_back({run.run, {}});
    a.worker.exchange(request);
    CHECK(a.version_of(id) == 2);
    const ClaimedRun again = a.worker.claim_one();
    CHECK(again.version == a.second);
    CHECK(again.has_history);
  }

  TEST_CASE("V3: a run that a worker ends is over with the version it has") {
    TwoVersions a;
    const std::string id = a.started();
    const ClaimedRun run = a.worker.claim_one();
    a.second_comes();
    must(a.client->adopt("totals", 1, {}));
    a.worker.ends(run.run, {.output = json("1")});
    CHECK(a.version_of(id) == 1);
    CHECK(a.report(1).safe_to_remove);
  }

  TEST_CASE("V3: a run is moved when its worker leaves or its lease lapses") {
    for (const bool lapses : {false, true}) {
      TwoVersions a;
      const std::string id = a.started();
      a.worker.claim_one();
      TestWorker other(*a.stores);
      a.second_comes();
      must(a.client->adopt("totals", 1, {}));
      if (lapses) {
        a.worker.lapses(*a.client);
        must(other.session->sweep());
      } else {
        must(a.worker.session->leave(a.worker.id));
      }
      CHECK(a.version_of(id) == 2);
    }
  }

  TEST_CASE("V3: a run that is started with an adopted version begins with the new one") {
    TwoVersions a;
    a.second_comes();
    must(a.client->adopt("totals", 1, {}));
    CHECK(a.version_of(start_one(*a.client, "null", {.version = 1}).id) == 2);
  }

  TEST_CASE("V3: adopting the other way round takes it back") {
    TwoVersions a;
    a.second_comes();
    const std::string id = a.started();
    CHECK(a.version_of(id) == 2);
    CHECK(must(a.client->adopt("totals", 2, 1)).moved == 1);
    CHECK(a.version_of(id) == 1);
    CHECK(a.version_of(a.started()) == 1);
    CHECK(a.report(1).takes_starts);
    CHECK(a.report(2).safe_to_remove);
    CHECK(must(a.client->adopt("totals", 1, 2)).moved == 2);
    CHECK(a.version_of(id) == 2);
    CHECK(a.report(2).takes_starts);
    CHECK_FALSE(a.report(2).adopted_by.has_value());
  }

  TEST_CASE("V3: a chain of adoptions leads to its end") {
    TwoVersions a;
    const std::string id = a.started();
    const ClaimedRun run = a.worker.claim_one();
    a.second_comes();
    must(a.client->adopt("totals", 1, {}));
    a.worker.loads(with_attempts(3));
    must(a.client->adopt("totals", 2, {}));
    CHECK(a.report(1).adopted_by == 3);
    ExchangeRequest request = a.worker.next();
    request.released.push_back({run.run, {}});
    a.worker.exchange(request);
    CHECK(a.version_of(id) == 3);
  }

  TEST_CASE("V3: adopting again does no harm") {
    TwoVersions a;
    const std::string id = a.started();
    a.second_comes();
    must(a.client->adopt("totals", 1, {}));
    CHECK(must(a.client->adopt("totals", 1, 2)).moved == 0);
    CHECK(a.version_of(id) == 2);
  }

  TEST_CASE("V3: versions that are not compatible are refused with the first difference") {
    for (const CompatibilityCase& each : compatibility_cases()) {
      const auto stores = fresh_stores();
      const auto client = stores->client_session();
      TestWorker worker(*stores);
      const VersionId before = worker.loads(each.before);
      const VersionId after = worker.loads(each.after);
      CAPTURE(each.difference);
      if (before == after) {
        CHECK(each.difference == "");  // the same version: there is nothing to adopt
        continue;
      }
      const auto adopted = client->adopt("totals", 1, 2);
      CHECK(adopted.has_value() == each.difference.empty());
      if (adopted) continue;
      CHECK(adopted.error().code == ErrorCode::conflict);
      CHECK(adopted.error().kind == "incompatible_version");
      CHECK(adopted.error().message ==
            "open runs of flow \"totals\" version 1 cannot continue with version 2: " +
                each.difference);
    }
  }

  TEST_CASE("V3: waits may wait longer in a version that is adopted") {
    const auto stores = fresh_stores();
    const auto client = stores->client_session();
    TestWorker worker(*stores);
    FlowDraft plain = flow({of_kind("wait", "b")});
    worker.loads(plain);
    start_one(*client);
    plain.steps[0].options.timeout_ms = 5;
    worker.loads(plain);
    CHECK(must(client->adopt("totals", 1, 2)).moved == 1);
  }

  TEST_CASE("V3: adopting an unknown version or itself is refused") {
    TwoVersions a;
    a.second_comes();
    CHECK(a.client->adopt("totals", 7, {}).error().code == ErrorCode::not_found);
    CHECK(a.client->adopt("totals", 1, 7).error().code == ErrorCode::not_found);
    CHECK(a.client->adopt("total", 1, {}).error().hint.contains("totals"));
    CHECK(a.client->adopt("totals", 2, {}).error().message ==
          "version 2 of flow \"totals\" is the one its runs continue with");
  }

  TEST_CASE("V3: on_new_version adopt moves the open runs of older versions alone") {
    TwoVersions a;
    const std::string old = a.started();
    a.worker.loads(flow({step("a"), step("b")}));  // 2: not compatible
    const std::string other = a.started();
    const VersionId third = a.worker.loads(with_attempts(3));
    const std::string new_one = a.started();
    const auto adopted = must(a.worker.session->flows().adopt_older(third));
    REQUIRE(adopted.size() == 2);
    CHECK(adopted[0].version == 1);
    CHECK(adopted[0].moved == 1);
    CHECK_FALSE(adopted[0].refusal.has_value());
    CHECK(adopted[1].version == 2);
    CHECK(*adopted[1].refusal == "step \"b\" is gone");
    CHECK(a.version_of(old) == 3);
    CHECK(a.version_of(other) == 2);
    CHECK(a.version_of(new_one) == 3);
    CHECK(must(a.worker.session->flows().adopt_older(a.first)).empty());
  }
}

TEST_SUITE("store: versions that go") {
  TEST_CASE("V4: one query says for each version who needs it") {
    TwoVersions a;
    a.started();
    a.started();
    a.second_comes();
    a.started();
    const PluginId plugin =
        must(a.worker.session->flows().register_plugin(std::string(64, 'b'), "/b.so"));
    must(a.worker.session->flows().serve_versions(a.worker.id,
                                                  {{a.first, {}}, {a.second, {.plugin = plugin}}}));
    const auto versions = must(a.client->versions("totals"));
    REQUIRE(versions.size() == 2);
    CHECK(versions[0].number == 2);
    CHECK(versions[0].takes_starts);
    CHECK_FALSE(versions[0].safe_to_remove);
    CHECK(versions[0].open_runs == 1);
    CHECK(versions[0].workers == 1);
    CHECK(versions[0].plugins == std::vector{std::string(64, 'b')});
    CHECK(versions[1].number == 1);
    CHECK_FALSE(versions[1].takes_starts);
    CHECK_FALSE(versions[1].safe_to_remove);
    CHECK(versions[1].open_runs == 2);
    CHECK(versions[1].plugins.empty());
  }

  TEST_CASE("V4: a version is safe to remove when it is not the newest and its last run is over") {
    TwoVersions a;
    a.started();
    const ClaimedRun run = a.worker.claim_one();
    CHECK_FALSE(a.report(1).safe_to_remove);
    a.second_comes();
    CHECK_FALSE(a.report(1).safe_to_remove);
    a.worker.ends(run.run, {.output = json("1")});
    CHECK(a.report(1).safe_to_remove);
    CHECK_FALSE(a.report(2).safe_to_remove);
  }

  TEST_CASE("V4: a worker that ended or lapsed runs nothing") {
    TwoVersions a;
    must(a.worker.session->flows().serve_versions(a.worker.id, {{a.first, {}}}));
    TestWorker other(*a.stores);
    must(other.session->flows().serve_versions(other.id, {{a.first, {}}}));
    CHECK(a.report(1).workers == 2);
    must(other.session->leave(other.id));
    CHECK(a.report(1).workers == 1);
    a.worker.lapses(*a.client);
    CHECK(a.report(1).workers == 0);
  }

  TEST_CASE("V4: what a worker says that it can run replaces what it said before") {
    TwoVersions a;
    a.second_comes();
    must(a.worker.session->flows().serve_versions(a.worker.id, {{a.first, {}}, {a.second, {}}}));
    must(a.worker.session->flows().serve_versions(a.worker.id, {{a.second, {}}}));
    CHECK(a.report(1).workers == 0);
    CHECK(a.report(2).workers == 1);
  }

  TEST_CASE("V4: versions of a flow nobody knows are not found") {
    TwoVersions a;
    const auto refused = a.client->versions("total");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::not_found);
    CHECK(refused.error().hint.contains("totals"));
  }

  TEST_CASE("V4: a definition that the database does not know is not among the versions") {
    TwoVersions a;
    a.started();
    a.second_comes();
    CHECK(must(a.worker.session->plugins().flows_with_open_runs()) ==
          std::vector<std::string>{"totals"});
    const auto versions = must(a.worker.session->plugins().versions_of({"totals", "unknown"}));
    REQUIRE(versions.size() == 2);
    const VersionReport* const first =
        find_version(versions, "totals", built(with_attempts(1)).fingerprint());
    const VersionReport* const second =
        find_version(versions, "totals", built(with_attempts(2)).fingerprint());
    REQUIRE(first != nullptr);
    REQUIRE(second != nullptr);
    CHECK(first->number == 1);
    CHECK_FALSE(first->safe_to_remove);
    CHECK(second->number == 2);
    CHECK_FALSE(second->safe_to_remove);
    CHECK(find_version(versions, "totals", std::string(64, '0')) == nullptr);
  }
}

TEST_SUITE("store: plugins of processes") {
  TEST_CASE("a process with a live worker is shown with what it said last") {
    const auto stores = fresh_stores();
    if (!stores->can(Capability::plugin_reports)) return;
    const auto client = stores->client_session();
    TestWorker worker(*stores);
    const ReportingProcess process{.host = "here", .pid = 42, .started_at = Time(Duration(7))};
    const ReportingProcess stranger{.host = "here", .pid = 43, .started_at = Time(Duration(7))};
    must(worker.session->plugins().report_plugins(process, json("[]")));
    must(worker.session->plugins().report_plugins(stranger,
                                                  json(R"([{"path": "/x.so", "state": "live"}])")));
    CHECK(must(client->plugins()).empty());
    must(worker.session->plugins().report_plugins(process, json(R"([
      {"path": "/b.so", "state": "refused", "kind": "truncated", "detail": "short", "hint": "copy it"},
      {"path": "/a.so", "sha256": "abc", "plugin": "a", "version": "1.2", "flows": ["x", "y"],
       "state": "quarantined", "isolated": true, "until": "2026-11-21T01:56:26Z"}])")));
    const auto plugins = must(client->plugins());
    REQUIRE(plugins.size() == 2);
    CHECK(plugins[0].path == "/a.so");
    CHECK(plugins[0].host == "here");
    CHECK(plugins[0].pid == 42);
    CHECK(plugins[0].flows == std::vector<std::string>{"x", "y"});
    CHECK(plugins[0].version == "1.2");
    CHECK(plugins[0].isolated);
    CHECK(plugins[0].until.has_value());
    CHECK(plugins[1].state == "refused");
    CHECK(plugins[1].kind == "truncated");
    CHECK(plugins[1].sha256.empty());
    must(worker.session->plugins().report_plugins(process, std::nullopt));
    CHECK(must(client->plugins()).empty());
  }

  TEST_CASE("a process whose workers are gone is not shown") {
    const auto stores = fresh_stores();
    if (!stores->can(Capability::plugin_reports)) return;
    const auto client = stores->client_session();
    TestWorker worker(*stores);
    must(worker.session->plugins().report_plugins({.host = "here", .pid = 42},
                                                  json(R"([{"path": "/a.so", "state": "live"}])")));
    CHECK(must(client->plugins()).size() == 1);
    must(worker.session->leave(worker.id));
    CHECK(must(client->plugins()).empty());
  }
}
