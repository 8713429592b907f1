#include "worker/outbox.hpp"

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

JournalRow row_with_error(std::size_t bytes) {
  JournalRow row{.task = {.step = 0, .index = 0}, .outcome = Outcome::failed};
  row.error = std::string(bytes, 'x');
  return row;
}

}  // namespace

TEST_SUITE("worker: outbox") {
  TEST_CASE("results, ends and releases are urgent and acknowledgements and events alone are not") {
    const TestFlow flow("f", {{"s", returns("1")}});
    RunBook runs;
    const OwnedRun& run = add_run(runs, flow, 7);
    Outbox outbox;
    outbox.set_listeners(true, true);
    CHECK_FALSE(outbox.has_urgent());
    outbox.acknowledge(7, 2);
    outbox.publish(7, run, EventKind::started);
    CHECK_FALSE(outbox.has_urgent());
    outbox.settle(7, row_with_error(1), 3);
    CHECK(outbox.has_urgent());
    exchange(outbox, {}, steady_start);
    CHECK_FALSE(outbox.has_urgent());
    outbox.end(7, {});
    CHECK(outbox.has_urgent());
    exchange(outbox, {}, steady_start);
    outbox.release(7, std::nullopt);
    CHECK(outbox.has_urgent());
  }

  TEST_CASE("L8: ends and releases of runs that were busy are sent again after a pause") {
    const TestFlow flow("f", {{"s", returns("1")}});
    RunBook runs;
    Outbox outbox;
    outbox.set_listeners(true, true);
    for (const RunKey run : {7, 8}) {
      outbox.end(run, {.status = RunStatus::failed, .error = "why"});
      outbox.publish(run, add_run(runs, flow, claim_of(run)), EventKind::failed);
    }
    outbox.release(9, start);
    outbox.release(10, std::nullopt);
    CHECK_FALSE(outbox.request().expects_busy);
    ExchangeReply reply;
    reply.busy = {8, 9};
    CHECK(exchange(outbox, reply, steady_start).size() == 1);  // the event of run 7
    CHECK_FALSE(outbox.has_urgent());
    CHECK(outbox.request().expects_busy);
    CHECK(outbox.request().events.empty());
    CHECK(outbox.retry_at() == steady_start + Outbox::busy_pause);

    outbox.end(11, {});
    outbox.send(steady_start + Outbox::busy_pause - 1ns);
    CHECK(outbox.left({}) == std::set<RunKey>{11});  // this exchange is not told of the others
    CHECK(outbox.answered({}, steady_start + 1ms).empty());
    CHECK_FALSE(outbox.has_urgent());
    CHECK(outbox.retry_at() == steady_start + Outbox::busy_pause);

    const ExchangeRequest& again = outbox.send(steady_start + Outbox::busy_pause);
    REQUIRE(again.ended.size() == 1);
    CHECK(again.ended[0].run == 8);
    CHECK(again.ended[0].end.error == "why");
    REQUIRE(again.released.size() == 1);
    CHECK(again.released[0].run == 9);
    CHECK(again.released[0].wake_at == start);
    CHECK(again.events.size() == 1);
    CHECK(again.expects_busy);
    CHECK(outbox.left(reply).empty());
    CHECK(outbox.left({}) == std::set<RunKey>{8, 9});
    CHECK(outbox.answered({}, steady_start + 1s).size() == 1);
    CHECK_FALSE(outbox.retry_at().has_value());
    CHECK_FALSE(outbox.request().expects_busy);
  }

  TEST_CASE("L6: what was sent does not change while the next request is collected") {
    const TestFlow flow("f", {{"s", returns("1")}});
    RunBook runs;
    Outbox outbox;
    outbox.set_listeners(true, true);
    const OwnedRun& run = add_run(runs, flow, 7);
    outbox.request().worker = 3;
    outbox.request().versions = {4};
    outbox.settle(7, row_with_error(1), 3);
    outbox.publish(7, run, EventKind::started);
    const ExchangeRequest& sent = outbox.send(steady_start);
    CHECK(outbox.is_under_way());
    CHECK_FALSE(outbox.has_urgent());
    outbox.settle(7, row_with_error(2), 3);
    outbox.end(7, {});
    outbox.publish(7, run, EventKind::completed);
    REQUIRE(sent.settled.size() == 1);
    CHECK(sent.settled[0].row.error == "x");
    CHECK(sent.ended.empty());
    CHECK(sent.events.size() == 1);
    CHECK(outbox.left({}).empty());  // its end is not sent
    CHECK(outbox.answered({}, steady_start).size() == 1);
    CHECK_FALSE(outbox.is_under_way());

    const ExchangeRequest& next = outbox.send(steady_start);
    CHECK(next.worker == 3);
    CHECK(next.versions == std::vector<VersionId>{4});
    REQUIRE(next.settled.size() == 1);
    CHECK(next.settled[0].row.error == "xx");
    REQUIRE(next.events.size() == 1);
    CHECK(next.events[0].name == "run:completed");
    CHECK(outbox.left({}) == std::set<RunKey>{7});
    outbox.drop_run(7);
    CHECK(next.settled.empty());
    CHECK(next.ended.empty());
    CHECK(outbox.answered({}, steady_start).empty());
  }

  TEST_CASE("everything that was put in is in the request as it came") {
    Outbox outbox;
    outbox.settle(7, row_with_error(1), 3);
    outbox.settle(8, row_with_error(2), std::nullopt);
    outbox.end(7, {.status = RunStatus::failed, .error = "why"});
    outbox.release(8, start);
    outbox.acknowledge(8, 2);
    const ExchangeRequest& request = outbox.request();
    REQUIRE(request.settled.size() == 2);
    CHECK(request.settled[0].run == 7);
    CHECK(request.settled[0].plugin == 3);
    CHECK(request.settled[1].run == 8);
    CHECK(text_of(request.settled[1].row) == "0.0#1 failed: xx");
    CHECK_FALSE(request.settled[1].plugin.has_value());
    REQUIRE(request.ended.size() == 1);
    CHECK(request.ended[0].run == 7);
    CHECK(request.ended[0].end.error == "why");
    REQUIRE(request.released.size() == 1);
    CHECK(request.released[0].run == 8);
    CHECK(request.released[0].wake_at == start);
    REQUIRE(request.acknowledged.size() == 1);
    CHECK(request.acknowledged[0].run == 8);
    CHECK(request.acknowledged[0].count == 2);
  }

  TEST_CASE("it is full when outputs and errors with 256 bytes for each row reach the limit") {
    Outbox outbox;
    outbox.settle(7, row_with_error(Outbox::bytes_max - 256 - 256 - 2), std::nullopt);
    CHECK_FALSE(outbox.is_full());
    const JournalRow row{.task = {.step = 0, .index = 1}, .output = Json::trusted("1")};
    outbox.settle(7, row, std::nullopt);
    CHECK_FALSE(outbox.is_full());
    outbox.settle(7, row, std::nullopt);
    CHECK(outbox.is_full());
    exchange(outbox, {}, steady_start);
    CHECK_FALSE(outbox.is_full());
    outbox.settle(7, row_with_error(Outbox::bytes_max - 256), std::nullopt);
    CHECK(outbox.is_full());
  }

  TEST_CASE("an answered request is emptied and keeps what every request has") {
    Outbox outbox;
    outbox.request().worker = 4;
    outbox.request().lease = std::chrono::seconds(15);
    outbox.request().versions = {1, 2};
    outbox.settle(7, row_with_error(1), std::nullopt);
    outbox.end(7, {});
    outbox.release(8, std::nullopt);
    outbox.acknowledge(8, 1);
    exchange(outbox, {}, steady_start);
    const ExchangeRequest& request = outbox.request();
    CHECK(request.settled.empty());
    CHECK(request.ended.empty());
    CHECK(request.released.empty());
    CHECK(request.acknowledged.empty());
    CHECK(request.worker == 4);
    CHECK(request.lease == std::chrono::seconds(15));
    CHECK(request.versions == std::vector<VersionId>{1, 2});
  }

  TEST_CASE("E1: an event goes where there are listeners and comes back once it is committed") {
    const TestFlow flow("f", {{"s", returns("1")}});
    RunBook runs;
    const OwnedRun& run = add_run(runs, flow, 7);
    for (const bool here : {false, true})
      for (const bool elsewhere : {false, true}) {
        CAPTURE(here);
        CAPTURE(elsewhere);
        Outbox outbox;
        CHECK_FALSE(outbox.publishes_events());
        outbox.set_listeners(here, elsewhere);
        CHECK(outbox.publishes_events() == (here || elsewhere));
        outbox.publish(7, run, EventKind::completed, 0);
        outbox.publish(7, run, EventKind::completed);
        std::vector<std::string> stated;
        for (const PublishedEvent& event : outbox.request().events) stated.push_back(event.name);
        CHECK(stated == (elsewhere ? std::vector<std::string>{"step:s:completed", "run:completed"}
                                   : std::vector<std::string>{}));
        const std::vector<RunEvent> both{
            {.run_id = "run-7", .flow = "f", .name = "step:s:completed"},
            {.run_id = "run-7", .flow = "f", .name = "run:completed"}};
        CHECK(exchange(outbox, {}, steady_start) == (here ? both : std::vector<RunEvent>{}));
        CHECK(exchange(outbox, {}, steady_start).empty());
        CHECK(outbox.publishes_events() == (here || elsewhere));
      }
  }
}
