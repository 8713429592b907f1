#include "worker/run_events.hpp"

#include <memory>

#include <doctest/doctest.h>

using namespace weir;

namespace {

const std::vector<RunEvent> events_of_two_flows{
    {.run_id = "1", .flow = "orders", .name = "run:started"},
    {.run_id = "2", .flow = "mails", .name = "run:started"},
    {.run_id = "1", .flow = "orders", .name = "step:pay:started"}};

// Notes the events that it hears: "1 run:started\n" …
RunEvents::Listener into(std::string& heard) {
  return [&heard](const RunEvent& event) { heard += event.run_id + " " + event.name + "\n"; };
}

}  // namespace

TEST_SUITE("worker: run events") {
  TEST_CASE("E1: a listener without a flow hears all events in their order") {
    RunEvents events;
    std::string heard;
    const auto subscription = events.listen(into(heard));
    events.publish(events_of_two_flows);
    CHECK(heard == "1 run:started\n2 run:started\n1 step:pay:started\n");
  }

  TEST_CASE("E1: a listener of a flow hears that flow alone") {
    RunEvents events;
    std::string orders, mails, others;
    const auto first = events.listen(into(orders), "orders");
    const auto second = events.listen(into(mails), "mails");
    const auto third = events.listen(into(others), "order");
    events.publish(events_of_two_flows);
    CHECK(orders == "1 run:started\n1 step:pay:started\n");
    CHECK(mails == "2 run:started\n");
    CHECK(others == "");
  }

  TEST_CASE("E1: every listener of one flow hears each event once") {
    RunEvents events;
    std::string first, second, all;
    const auto one = events.listen(into(first), "mails");
    const auto two = events.listen(into(second), "mails");
    const auto three = events.listen(into(all));
    events.publish({events_of_two_flows[1]});
    CHECK(first == "2 run:started\n");
    CHECK(second == first);
    CHECK(all == first);
  }

  TEST_CASE("E1: no event reaches a listener whose subscription ended") {
    RunEvents events;
    std::string heard, kept;
    CHECK_FALSE(events.has_listeners());
    events.publish(events_of_two_flows);
    auto subscription =
        std::make_unique<RunEvents::Subscription>(events.listen(into(heard), "mails"));
    {
      const auto other = events.listen(into(kept));
      subscription.reset();
      CHECK(events.has_listeners());
      events.publish(events_of_two_flows);
    }
    CHECK(heard == "");
    CHECK(kept == "1 run:started\n2 run:started\n1 step:pay:started\n");
    CHECK_FALSE(events.has_listeners());
  }

  TEST_CASE("a subscription that was moved still hears") {
    RunEvents events;
    std::string heard;
    auto first = std::make_unique<RunEvents::Subscription>(events.listen(into(heard)));
    const RunEvents::Subscription second = std::move(*first);
    first.reset();
    events.publish({events_of_two_flows[0]});
    CHECK(heard == "1 run:started\n");
  }
}
