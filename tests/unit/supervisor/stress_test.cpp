#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/supervisor/supervisor_child.hpp>
#include <weir/supervisor/task.hpp>
#include <weir/supervisor/thread_child.hpp>

#include "workers.hpp"

namespace weir {

TEST_SUITE("supervisor: real threads") {
  TEST_CASE("threads that die while others resolve, terminate and look leave nothing behind") {
    constexpr int rounds = 300;
    std::atomic<int> alive = 0;
    std::atomic<int> begun = 0;
    // Each life lasts until it is asked to stop, or ends by itself, well or not.
    const auto body = [&](const StopSignal& stop) -> Result<void> {
      ++alive;
      const int life = ++begun;
      if (life % 3 != 0) stop.wait();
      --alive;
      if (life % 2 == 0) return std::unexpected(fault());
      return {};
    };
    const auto spec = [&](const std::string& id) { return thread_child(id, body); };
    {
      const auto outer = started<>(
          {.name = "outer", .limit = never_gives_up},
          {supervisor_child({.name = "inner",
                             .strategy = Strategy::one_for_all,
                             .limit = {.max_restarts = 20, .max_seconds = std::chrono::seconds(1)}},
                            {spec("x"), spec("y")}),
           spec("a")});
      const auto pool =
          started<>({.name = "pool", .limit = never_gives_up, .template_spec = spec}, {});
      std::vector<std::jthread> callers;
      for (int caller = 0; caller < 3; ++caller)
        callers.emplace_back([&, caller] {
          for (int i = 0; i < rounds; ++i) {
            const std::string key = std::to_string(i % 4);
            if (i % 3 == caller) {
              static_cast<void>(pool->terminate_child(key));
            } else {
              static_cast<void>(pool->resolve(key));
            }
            static_cast<void>(pool->whereis(key));
            static_cast<void>(outer->children());
          }
        });
      callers.clear();
      CHECK(pool->stop());
      CHECK(outer->stop());
    }
    CHECK(begun > 0);
    CHECK(alive == 0);
  }

  TEST_CASE("tasks and children that come and go while others end them leave nothing behind") {
    constexpr int rounds = 200;
    std::atomic<int> alive = 0;
    std::atomic<std::size_t> most = 0;
    {
      const auto pool = started_dynamic<>({.limit = never_gives_up, .max_children = 4});
      const ChildSpec spec = thread_child("a", [&](const StopSignal& stop) -> Result<void> {
        const int life = ++alive;
        if (life % 2 != 0) stop.wait();
        --alive;
        if (life % 3 == 0) return std::unexpected(fault());
        return {};
      });
      std::vector<std::jthread> callers;
      callers.emplace_back([&] {
        for (int i = 0; i < rounds; ++i) static_cast<void>(pool->start_child(spec));
      });
      callers.emplace_back([&] {
        for (int i = 0; i < rounds; ++i) {
          auto task = async(*pool, [i](const StopSignal&) { return i; });
          if (task && i % 2 == 0) CHECK(task->await() == i);
        }
      });
      callers.emplace_back([&] {
        for (int i = 0; i < rounds; ++i) {
          const std::vector<ChildInfo> children = pool->children();
          most = std::max<std::size_t>(most, children.size());
          for (const ChildInfo& child : children)
            static_cast<void>(pool->terminate_child(child.child));
        }
      });
      callers.clear();
      CHECK(pool->stop());
    }
    CHECK(most <= 4);
    CHECK(alive == 0);
  }
}

}  // namespace weir
