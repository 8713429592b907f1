// Ranges of wide maps: offered, taken, settled in parts, given back, lost and found again.
#include <algorithm>
#include <numeric>
#include <thread>

#include <fmt/core.h>

#include "conformance/wide.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE("conformance: shares") {
  TEST_CASE("L7: a range that is offered is taken with the inputs of its elements") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3), range(7, 3)});
    const TakenShare share = a.takes_one(a.helper);
    CHECK(share.run == a.run);
    CHECK(share.version == a.owner.versions.front());
    CHECK(share.step == 0);
    CHECK(share.attempt == 1);
    CHECK(share.indexes == std::vector<std::size_t>{4, 5, 6});
    CHECK(share.inputs == numbers(4, 3));
    REQUIRE(share.run_input.has_value());
    CHECK(share.run_input->elements().size() == 10);
    const auto next = must(
        Wide::shares(a.helper).take_shares(a.helper.id, a.helper.versions, 5, std::array{a.run}));
    REQUIRE(next.size() == 1);
    CHECK(next[0].indexes == std::vector<std::size_t>{7, 8, 9});
    CHECK_FALSE(next[0].run_input.has_value());  // it is known
    CHECK(a.takes(a.helper).empty());
  }

  TEST_CASE("L4: a share is given to those alone that can run its version") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 6)});
    TestWorker other(a.stores);
    CHECK(a.takes(other).empty());
    other.loads(named("another", one_step()));
    CHECK(a.takes(other).empty());
    CHECK(a.takes(a.helper).size() == 1);
  }

  TEST_CASE("C2: no share of a paused flow is given out") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 6)});
    must(a.client->pause("totals"));
    CHECK(a.takes(a.helper).empty());
    must(a.client->resume("totals"));
    CHECK(a.takes(a.helper).size() == 1);
  }

  TEST_CASE("L7: an offer that is made again makes no second share") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    a.offers({range(4, 3)});
    CHECK(a.takes(a.helper, 5).size() == 1);
    a.offers({range(4, 3)});
    CHECK(a.takes(a.helper, 5).empty());
  }

  TEST_CASE("L7: an offer that is made again after some of it was settled gives nothing twice") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(0, 3)});
    const TakenShare whole = a.takes_one(a.helper);
    must(Wide::shares(a.helper).return_share(a.helper.id, whole.share, 2));
    const TestWorker next = a.next_worker();
    CHECK(a.takes_one(next).indexes == std::vector<std::size_t>{2});
    CHECK(must(a.settles(a.helper, whole.share,
                         {completed(0, 0, 1, "1"), completed(0, 1, 1, "1")})) == 0);
    a.offers({range(0, 3)});
    CHECK(a.takes(a.helper).empty());
  }

  TEST_CASE("L7: an offer that is made again after all of it was settled gives nothing to run") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 2)});
    const TakenShare share = a.takes_one(a.helper);
    CHECK(a.settles(a.helper, share.share, {completed(0, 4, 1, "1"), completed(0, 5, 1, "2")}) ==
          0);
    a.offers({range(4, 2)});
    CHECK(a.takes(a.helper).empty());
    CHECK(a.takes_back(a.owner).empty());
  }

  TEST_CASE("L7: a helper journals the results under its own lease and the owner hears of them") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    CHECK(a.fetch_results(a.owner).empty());
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 5, 1, R"({"a":null})")})) == 2);
    const auto results = a.fetch_results(a.owner);
    REQUIRE(results.size() == 1);
    CHECK(results[0].run == a.run);
    CHECK(results[0].row.task == TaskId{0, 5});
    CHECK(results[0].row.outcome == Outcome::completed);
    CHECK(results[0].row.output->text() == R"({"a": null})");
    CHECK(a.fetch_results(a.owner).size() == 1);  // until it is acknowledged
    CHECK(a.fetch_results(a.owner, {results[0].notification}).empty());
  }

  TEST_CASE("L7: failures of shared elements are rows for the owner to judge") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    JournalRow bad = failed(0, 4, 1, "boom");
    bad.retry_after = std::chrono::milliseconds(70);
    bad.started_at = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1);
    bad.ended_at = bad.started_at + std::chrono::seconds(2);
    CHECK(must(a.settles(a.helper, share.share, {bad})) == 2);
    const auto results = a.fetch_results(a.owner);
    REQUIRE(results.size() == 1);
    CHECK(results[0].row.outcome == Outcome::failed);
    CHECK(results[0].row.error_code == "e");
    CHECK(results[0].row.error == "boom");
    CHECK(results[0].row.retry_after == std::chrono::milliseconds(70));
    CHECK(results[0].row.started_at == bad.started_at);
    CHECK(results[0].row.ended_at == bad.ended_at);
    CHECK_FALSE(results[0].row.output.has_value());
  }

  TEST_CASE("L7: a share is over when its last element is settled") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 6, 1, "1")})) == 2);
    CHECK(must(Wide::shares(a.helper).held_shares(a.helper.id)) == std::vector{share.share});
    CHECK(must(a.settles(a.helper, share.share,
                         {completed(0, 4, 1, "1"), completed(0, 5, 1, "2")})) == 0);
    CHECK(must(Wide::shares(a.helper).held_shares(a.helper.id)).empty());
    check_refused(a.settles(a.helper, share.share, {}),
                  fmt::format("share {} is not held by worker {}", share.share, a.helper.id));
  }

  TEST_CASE("L6: results that are told again are journaled once") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")})) == 2);
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")})) == 2);
    CHECK(journal_of(*a.owner.session, a.run).size() == 1);
    CHECK(a.fetch_results(a.owner).size() == 1);
  }

  TEST_CASE("L2: nobody settles a share that another holds or nobody") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    check_refused(a.settles(a.helper, 1, {}),
                  fmt::format("share 1 is not held by worker {}", a.helper.id));
    const TakenShare share = a.takes_one(a.helper);
    check_refused(a.settles(a.owner, share.share, {completed(0, 4, 1, "1")}),
                  fmt::format("share {} is not held by worker {}", share.share, a.owner.id));
    CHECK(journal_of(*a.owner.session, a.run).empty());
  }

  TEST_CASE("L2: nothing of a share is written for a helper whose lease lapsed") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 3)});
    const TakenShare share = a.takes_one(a.helper);
    a.helper.lapses(*a.client);
    const std::string message = fmt::format("worker {} has lost its lease", a.helper.id);
    check_refused(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")}), message);
    CHECK(
        Wide::shares(a.helper).take_shares(a.helper.id, a.helper.versions, 1, {}).error().message ==
        message);
    CHECK(Wide::shares(a.helper).return_share(a.helper.id, share.share, 0).error().message ==
          message);
    CHECK(journal_of(*a.owner.session, a.run).empty());
  }

  TEST_CASE("L2: nobody offers, takes back or hears for a run of another") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    const auto offered =
        Wide::shares(a.helper).offer_shares(a.helper.id, a.run, std::array{range(4, 3)});
    REQUIRE_FALSE(offered.has_value());
    CHECK(offered.error().code == ErrorCode::lease_lost);
    CHECK(offered.error().message ==
          fmt::format("run {} is not held by worker {}", a.run, a.helper.id));
    a.offers({range(4, 3)});
    CHECK(a.takes_back(a.helper).empty());
    const TakenShare share = a.takes_one(a.helper);  // it was left alone
    must(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")}));
    CHECK(a.fetch_results(a.helper).empty());
  }

  TEST_CASE("L7: the owner takes back what nobody took and learns what is held") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(2, 2), range(4, 2), range(6, 2)});
    const TakenShare share = a.takes_one(a.helper);
    CHECK(share.indexes.front() == 2);
    for (int again = 0; again < 2; ++again) {
      const auto held = a.takes_back(a.owner);
      REQUIRE(held.size() == 1);
      CHECK(held[0].share == share.share);
      CHECK(held[0].run == a.run);
      CHECK(held[0].first == 2);
      CHECK(held[0].last == 3);
    }
    CHECK(a.takes(a.helper).empty());
  }

  TEST_CASE("L7: takers and an owner that takes back never both have a share") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    for (int round = 0; round < 10; ++round) {
      std::vector<OfferedRange> ranges;
      for (std::size_t i = 0; i < 10; ++i) ranges.push_back(range(i, 1));
      a.offers(ranges);
      std::vector<TakenShare> taken;
      std::vector<HeldRange> held;
      {
        const std::jthread taking([&] { taken = a.takes(a.helper, 4); });
        held = a.takes_back(a.owner);
      }
      const auto later = a.takes_back(a.owner);
      CHECK(later.size() == taken.size());
      CHECK(held.size() <= later.size());
      CHECK(a.takes(a.helper, 20).empty());
      for (const TakenShare& share : taken)
        must(Wide::shares(a.helper).return_share(a.helper.id, share.share, 0));
      CHECK(a.takes_back(a.owner).empty());
    }
  }

  TEST_CASE("L5: what a helper gives back is had by another and not charged") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 4)});
    const TakenShare share = a.takes_one(a.helper);
    must(a.settles(a.helper, share.share, {completed(0, 5, 1, "1")}));
    must(Wide::shares(a.helper).return_share(a.helper.id, share.share, 0));
    must(Wide::shares(a.helper).return_share(a.helper.id, share.share, 0));
    check_refused(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")}),
                  fmt::format("share {} is not held by worker {}", share.share, a.helper.id));
    const TestWorker next = a.next_worker();
    const TakenShare rest = a.takes_one(next);
    CHECK(rest.indexes == std::vector<std::size_t>{4, 6, 7});
    CHECK(rest.inputs == std::vector{Json::number(40), Json::number(60), Json::number(70)});
    CHECK(journal_of(*a.owner.session, a.run).size() == 1);
  }

  TEST_CASE("L6: a return that arrives late does not take the share from whoever took it since") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 2)});
    const TakenShare before = a.takes_one(a.helper);
    must(Wide::shares(a.helper).return_share(a.helper.id, before.share, 0));
    const TakenShare again = a.takes_one(a.helper);
    must(Wide::shares(a.helper).return_share(a.helper.id, before.share, 0));
    CHECK(must(Wide::shares(a.helper).held_shares(a.helper.id)) == std::vector{again.share});
    CHECK(must(a.settles(a.helper, again.share, {completed(0, 4, 1, "1")})) == 1);
  }

  TEST_CASE("L5: a helper gives back the end of a share and goes on with the beginning") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(2, 6)});
    const TakenShare share = a.takes_one(a.helper);
    must(a.settles(a.helper, share.share, {completed(0, 2, 1, "1")}));
    must(Wide::shares(a.helper).return_share(a.helper.id, share.share, 5));
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 3, 1, "1")})) == 1);
    const TestWorker next = a.next_worker();
    const TakenShare rest = a.takes_one(next);
    CHECK(rest.indexes == std::vector<std::size_t>{5, 6, 7});
    CHECK(rest.inputs == numbers(5, 3));
    CHECK(must(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")})) == 0);
    CHECK(must(a.settles(
              next, rest.share,
              {completed(0, 5, 1, "1"), completed(0, 6, 1, "1"), completed(0, 7, 1, "1")})) == 0);
    CHECK(a.fetch_results(a.owner).size() == 6);
  }

  TEST_CASE("F1: of a helper that dies what it had begun is lost and the rest is to be had again") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(4, 4)});
    const TakenShare share = a.takes_one(a.helper);
    must(a.settles(a.helper, share.share, {completed(0, 4, 1, "1")}));
    a.helper.in_flight = {{a.run, {0, 5}, 1}};
    a.helper.lapses(*a.client);
    CHECK(must(a.owner.session->sweep()) == 1);
    const auto results = a.fetch_results(a.owner);
    const auto lost = std::ranges::find_if(
        results, [](const ShareResult& result) { return result.row.outcome == Outcome::lost; });
    REQUIRE(lost != results.end());
    CHECK(lost->row.task == TaskId{0, 5});
    CHECK(lost->row.error ==
          fmt::format("worker {} on here (pid 42) vanished while this ran", a.helper.id));
    CHECK(journal_of(*a.owner.session, a.run).size() == 2);
    const TestWorker next = a.next_worker();
    CHECK(a.takes_one(next).indexes == std::vector<std::size_t>{6, 7});
  }

  TEST_CASE("L7: shares outlive the owner and the next one learns of them") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(2, 2), range(4, 2), range(6, 2)});
    const TakenShare share = a.takes_one(a.helper);
    a.owner.lapses(*a.client);
    must(a.helper.session->sweep());
    const TakenShare other = a.takes_one(a.helper);  // though nobody owns the run just now
    must(a.settles(a.helper, share.share, {completed(0, 2, 1, "1")}));
    TestWorker next = a.next_worker();
    CHECK(next.claim_one().run == a.run);
    const auto held = a.takes_back(next);
    REQUIRE(held.size() == 2);
    CHECK(held[0].share == share.share);
    CHECK(held[1].share == other.share);
    CHECK(a.fetch_results(next).size() == 1);
    must(a.settles(a.helper, share.share, {completed(0, 3, 1, "1")}));
    CHECK(a.fetch_results(next).size() == 2);
    CHECK_FALSE(Wide::shares(a.owner).fetch_share_results(a.owner.id, std::array{a.run}, {}));
  }

  TEST_CASE("F6: when a run ends its shares end and what ran of them is journaled as cancelled") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(2, 4), range(6, 4)});
    const TakenShare share = a.takes_one(a.helper);
    a.helper.in_flight = {{a.run, {0, 2}, 1}, {a.run, {0, 3}, 1}};
    a.helper.exchange(a.helper.next());
    must(a.settles(a.helper, share.share, {completed(0, 2, 1, "1")}));
    a.owner.ends(a.run, {.status = RunStatus::failed, .error = "no"});
    CHECK(must(Wide::shares(a.helper).held_shares(a.helper.id)).empty());
    check_refused(a.settles(a.helper, share.share, {completed(0, 3, 1, "1")}),
                  fmt::format("share {} is not held by worker {}", share.share, a.helper.id));
    const auto rows = journal_of(*a.owner.session, a.run);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].outcome == Outcome::completed);
    CHECK(rows[1].task == TaskId{0, 3});
    CHECK(rows[1].outcome == Outcome::cancelled);
    const Time end = must(a.client->runs({})).front().ended_at.value();
    CHECK(rows[0].ended_at <= end);
    CHECK(rows[1].ended_at <= end);
  }

  TEST_CASE("F5: an owner drops the shares of a step that does not matter any more") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    a.offers({range(2, 4), range(6, 4)});
    const TakenShare share = a.takes_one(a.helper);
    must(Wide::shares(a.owner).drop_shares(a.owner.id, a.run, 0));
    check_refused(a.settles(a.helper, share.share, {}),
                  fmt::format("share {} is not held by worker {}", share.share, a.helper.id));
    CHECK(a.takes(a.helper).empty());
    CHECK(Wide::shares(a.helper).drop_shares(a.helper.id, a.run, 0).error().code ==
          ErrorCode::lease_lost);
  }

  TEST_CASE("L7: helpers are the live workers that can run it and have slots free") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    const auto helpers = [&] { return must(Wide::shares(a.owner).helpers_for(a.owner.id, a.run)); };
    CHECK(helpers().slots.empty());  // it did not ask for anything
    a.helper.claim(2);
    CHECK(helpers().slots == std::vector<std::size_t>{4});
    CHECK(helpers().async_calls == std::vector<std::size_t>{7});
    a.helper.claim(0);
    CHECK(helpers().slots.empty());  // it has no room
    a.offers({range(4, 3), range(7, 3)});
    CHECK(helpers().available == 2);
    a.takes_one(a.helper);
    CHECK(helpers().slots == std::vector<std::size_t>{4});
    CHECK(helpers().available == 1);
    TestWorker other(a.stores);
    other.claim(2);
    CHECK(helpers().slots.size() == 1);  // it cannot run the flow
    a.helper.lapses(*a.client);
    CHECK(helpers().slots.empty());
  }

  TEST_CASE("L7: many takers have each share once") {
    const auto stores = fresh_stores();
    Wide a(*stores);
    std::vector<OfferedRange> ranges;
    for (std::size_t i = 0; i < 10; ++i) ranges.push_back(range(i, 1));
    a.offers(ranges);
    std::vector<TestWorker> takers;
    for (int i = 0; i < 5; ++i) takers.push_back(a.next_worker());
    std::vector<std::vector<TakenShare>> taken(takers.size());
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < takers.size(); ++i)
        threads.emplace_back([&, i] {
          for (int round = 0; round < 10; ++round) {
            auto had =
                takers[i].session->shares()->take_shares(takers[i].id, takers[i].versions, 1, {});
            for (TakenShare& share : had.value()) taken[i].push_back(std::move(share));
          }
        });
    }
    std::vector<std::size_t> indexes;
    for (const auto& mine : taken)
      for (const TakenShare& share : mine)
        indexes.insert(indexes.end(), share.indexes.begin(), share.indexes.end());
    std::ranges::sort(indexes);
    std::vector<std::size_t> all(10);
    std::iota(all.begin(), all.end(), std::size_t{0});
    CHECK(indexes == all);
  }
}
