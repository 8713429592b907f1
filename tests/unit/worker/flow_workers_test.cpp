#include "worker/flow_workers.hpp"

#include <optional>

#include <doctest/doctest.h>

namespace weir {

using Infos = std::vector<FlowWorkers::WorkerInfo>;

TEST_SUITE("worker: flow workers") {
  TEST_CASE("a worker stands under every flow it serves until its place ends") {
    FlowWorkers workers;
    std::optional<FlowWorkers::Registration> first =
        workers.register_worker({.worker = 7, .slots = 4}, {"orders", "mails"}, [] {});
    const auto second = workers.register_worker({.worker = 8, .slots = 2}, {"mails"}, [] {});
    CHECK(workers.serving("orders") == Infos{{7, 4}});
    CHECK(workers.serving("mails") == Infos{{7, 4}, {8, 2}});
    first.reset();
    CHECK(workers.serving("orders").empty());
    CHECK(workers.serving("mails") == Infos{{8, 2}});
  }

  TEST_CASE("a flow's wake-up reaches its workers and no others") {
    FlowWorkers workers;
    int both = 0;
    int mails = 0;
    std::optional<FlowWorkers::Registration> first =
        workers.register_worker({.worker = 7, .slots = 4}, {"orders", "mails"}, [&] { ++both; });
    const auto second =
        workers.register_worker({.worker = 8, .slots = 2}, {"mails"}, [&] { ++mails; });
    CHECK(workers.wake("orders") == 1);
    CHECK(workers.wake("mails") == 2);
    CHECK(workers.wake("unknown") == 0);
    CHECK(both == 2);
    CHECK(mails == 1);
    first.reset();
    CHECK(workers.wake("orders") == 0);
    CHECK(both == 2);
  }

  TEST_CASE("that flows changed reaches every worker and one without a flow too") {
    FlowWorkers workers;
    int told = 0;
    const auto tell = [&] { ++told; };
    std::optional<FlowWorkers::Registration> first =
        workers.register_worker({.worker = 7, .slots = 4}, {"orders"}, [] {}, tell);
    const auto second = workers.register_worker({.worker = 8, .slots = 2}, {}, [] {}, tell);
    CHECK(workers.wake_all() == 2);
    CHECK(told == 2);
    first.reset();
    CHECK(workers.wake_all() == 1);
    CHECK(told == 3);
  }

  TEST_CASE("a worker stands under the flows it serves now") {
    FlowWorkers workers;
    FlowWorkers::Registration registration =
        workers.register_worker({.worker = 7, .slots = 4}, {"a", "b"}, [] {});
    registration.serve({"b", "c", "c"});
    CHECK(workers.serving("a").empty());
    CHECK(workers.serving("b") == Infos{{7, 4}});
    CHECK(workers.serving("c") == Infos{{7, 4}});
  }
}

}  // namespace weir
