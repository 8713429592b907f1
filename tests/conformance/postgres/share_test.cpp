// Shares: what takes SQL of its own to see.
#include <fmt/core.h>

#include "conformance/postgres/postgres_under_test.hpp"
#include "conformance/wide.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "support/admin_session.hpp"
#include "support/eventually.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE("postgres: shares") {
  TEST_CASE("C9: an element that its handler settled in its own transaction is settled once") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 2)});
    const TakenShare share = a.takes_one(a.helper);
    stores.sql(
        fmt::format("select weir.settle({}, {}, 0::smallint, 4, 1::smallint, '7', null, "
                    "now(), now() + interval '1 h')",
                    a.helper.id, a.run));
    CHECK(a.fetch_results(a.owner).size() == 1);
    CHECK(must(a.settles(a.helper, share.share, {failed(0, 4, 1, "not_settled")})) == 1);
    const auto rows = journal_of(*a.owner.session, a.run);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].outcome == Outcome::completed);
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 5, 1, "1")})) == 0);
  }

  TEST_CASE(
      "C9: the owner of a run is told what its handler settled of a share that it took itself") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 2)});
    const TakenShare share = a.takes_one(a.owner);
    stores.sql(
        fmt::format("select weir.settle({}, {}, 0::smallint, 4, 1::smallint, '7', null, "
                    "now(), now() + interval '1 h')",
                    a.owner.id, a.run));
    const auto results = a.fetch_results(a.owner);
    REQUIRE(results.size() == 1);
    CHECK(results[0].row.task == TaskId{0, 4});
    CHECK(must(a.settles(a.owner, share.share, {failed(0, 4, 1, "not_settled")})) == 1);
  }

  TEST_CASE("L2: a handler of a share settles nothing of a run that its worker owns") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 2)});
    const ShareId share = a.takes_one(a.helper).share;
    const auto is_settled = [&](WorkerId worker, ShareId of) {
      AdminSession handler(stores.url());
      handler.run("begin");
      try {
        handler.run(
            fmt::format("select weir.settle({}, {}, 0::smallint, 4, 1::smallint, '7', null, now(), "
                        "now() + interval '1 h', {})",
                        worker, a.run, of));
        return true;
      } catch (const std::exception& refusal) {
        CHECK(std::string(refusal.what()).contains("has lost its lease, or run"));
        return false;
      }
    };
    CHECK_FALSE(is_settled(a.owner.id, share));
    CHECK_FALSE(is_settled(a.owner.id, share + 1));
    CHECK_FALSE(is_settled(a.helper.id, 0));
    CHECK(is_settled(a.helper.id, share));
    CHECK(is_settled(a.owner.id, 0));
  }

  TEST_CASE("C9: a share is not kept waiting by the transaction of a handler") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 2)});
    const TakenShare share = a.takes_one(a.helper);
    AdminSession handler(stores.url());
    handler.run("begin");
    handler.run(
        fmt::format("select weir.settle({}, {}, 0::smallint, 4, 1::smallint, '7', null, "
                    "now(), now() + interval '1 h')",
                    a.helper.id, a.run));
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 5, 1, "1")})) == 1);
    const auto early = a.settles(a.helper, share.share, {failed(0, 4, 1, "timed_out")});
    REQUIRE_FALSE(early.has_value());
    CHECK(early.error().code == ErrorCode::unavailable);  // to be asked again
    a.helper.exchange(a.helper.next());
    handler.run("commit");
    CHECK(must(a.settles(a.helper, share.share, {failed(0, 4, 1, "timed_out")})) == 0);
  }

  TEST_CASE("L7: results that cannot be are refused with their element") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    const auto refusal = [&](const std::string& results) {
      try {
        stores.sql(fmt::format("select weir.settle_share({}, {}, '{}')", a.helper.id, share.share,
                               results));
      } catch (const std::exception& refused) {
        const std::string text = refused.what();
        const std::size_t at = text.find(":  ");
        return text.substr(at == std::string::npos ? 0 : at + 3, text.find('\n') - at - 3);
      }
      return std::string();
    };
    CHECK(refusal(R"([{"index": 7, "output": 1}])") ==
          "index 7 is not in the share, which goes from 4 to 6");
    CHECK(refusal(R"([{"output": 1}])") ==
          "index null is not in the share, which goes from 4 to 6");
    CHECK(refusal(R"([{"index": 4}])") == "element 4: a completed attempt has an output");
    CHECK(refusal(R"([{"index": 4, "outcome": "lost"}])") ==
          R"(element 4: no attempt ends as "lost")");
    CHECK(refusal("[1]") == "every result is an object");
    CHECK(journal_of(*a.owner.session, a.run).empty());
  }

  TEST_CASE("F1: what a worker without exchanges took and did not settle is lost with it") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 3)});
    const TestWorker brief = a.next_worker();
    const TakenShare share = a.takes_one(brief);
    must(a.settles(brief, share.share, {completed(0, 4, 1, "1")}));
    stores.sql(fmt::format("select weir.renew({}, 1)", brief.id));
    REQUIRE(eventually([&] { return must(a.owner.session->sweep()) == 1; }));
    CHECK(journal_of(*a.owner.session, a.run).size() == 3);
    CHECK(a.takes_back(a.owner).empty());
  }

  TEST_CASE("V5: starts take no version that only workers have which take shares") {
    PostgresUnderTest stores;
    const auto client = stores.client_session();
    TestWorker worker(stores);
    const VersionId first = worker.loads(one_step());
    worker.loads(with_attempts(7));
    worker.serves({{first, {}}});
    const TestWorker brief(stores);
    stores.sql(fmt::format("select weir.serve_flow({}, 'totals')", brief.id));
    CHECK(must(client->summary(start_one(*client).id)).version == 1);
    must(client->start("totals", {json("1")}, {.version = 2}));
    const auto versions = must(client->versions("totals"));
    CHECK(versions[0].workers == 0);
    CHECK(versions[1].workers == 1);
    CHECK(
        stores.sql("select waits_for from weir.runs where version = 2").front() ==
        "no live worker has version 2 of flow totals: weir flows versions totals says what to do");
  }

  TEST_CASE("F1: the crash of a helper charges the shared element that did it and no other") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 4)});
    a.takes_one(a.helper);
    a.helper.in_flight = {{a.run, {0, 4}, 1}, {a.run, {0, 5}, 1}};
    a.helper.exchange(a.helper.next());
    REQUIRE(must(postgres::end_crashed_worker(
        stores.url(), {.worker = a.helper.id,
                       .culprit = CrashedWorker::Culprit{.task = {a.run, {0, 5}, 1},
                                                         .error_code = "worker_crashed"},
                       .report = "SIGSEGV"})));
    const auto results = a.fetch_results(a.owner);
    REQUIRE(results.size() == 1);
    CHECK(results[0].row.task == TaskId{0, 5});
    CHECK(results[0].row.outcome == Outcome::failed);
    CHECK(results[0].row.error == "SIGSEGV");
    CHECK(a.takes_one(a.next_worker()).indexes == std::vector<std::size_t>{4, 6, 7});
  }

  TEST_CASE("L1: a worker without exchanges renews its lease until it has lapsed") {
    PostgresUnderTest stores;
    Wide a(stores);
    const auto renew = [&](WorkerId worker, int lease_ms) {
      return stores.sql(fmt::format("select weir.renew({}, {}) > now()", worker, lease_ms));
    };
    CHECK(renew(a.helper.id, 60'000) == std::vector<std::string>{"t"});
    renew(a.helper.id, 1);
    REQUIRE(eventually([&] { return must(a.client->workers_alive()) == 1; }));
    CHECK_THROWS(renew(a.helper.id, 60'000));
  }

  TEST_CASE("L7: a shared row names the helper, and what was shared of a run goes with it") {
    PostgresUnderTest stores;
    Wide a(stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    must(a.settles(a.helper, share.share, {completed(0, 5, 1, "1")}));
    CHECK(stores.sql("select worker_id from weir.journal") ==
          std::vector{std::to_string(a.helper.id)});
    a.owner.ends(a.run, {.status = RunStatus::failed, .error = "no"});
    CHECK(stores.sql("select count(*) from weir.share") == std::vector<std::string>{"0"});
    CHECK(stores.sql("select count(*) from weir.share_news") == std::vector<std::string>{"0"});
  }
}
