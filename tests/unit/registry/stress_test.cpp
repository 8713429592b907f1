#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "modules.hpp"

namespace weir {
namespace {

constexpr std::size_t readers = 4;
constexpr std::size_t reads_each = 3'000;

const std::array<std::string, 2> modules = {"shop.A", "shop.B"};
const std::array<std::string, 2> slugs = {"left", "right"};

// shop.A and shop.B with a slug each, the other way round when `swapped`; the generation is the
// definition's.
std::array<FlowModule, 2> generation(std::size_t number, bool swapped) {
  const auto attempts = static_cast<std::int64_t>(1 + number % 1'000);
  return {module({.module = modules[0], .slug = slugs[swapped ? 1 : 0], .max_attempts = attempts}),
          module({.module = modules[1], .slug = slugs[swapped ? 0 : 1], .max_attempts = attempts})};
}

std::int64_t generation_of(const FlowHandle& flow) {
  return flow->definition.steps()[0].options.max_attempts;
}

}  // namespace

TEST_SUITE("registry: threads") {
  TEST_CASE(
      "G3: readers of either key never see half of a swap while writers swap slugs and code") {
    FlowRegistry registry;
    for (FlowModule& each : generation(0, false)) registry.register_or_throw(std::move(each));
    std::atomic<std::size_t> reading = readers;
    std::atomic<std::size_t> wrong = 0;
    std::atomic<std::size_t> commits = 0;
    std::latch start(readers + 2);
    std::vector<std::jthread> threads;

    for (std::size_t writer = 0; writer < 2; ++writer)
      threads.emplace_back([&, writer] {
        start.arrive_and_wait();
        for (std::size_t number = writer; reading.load() > 0; number += 2) {
          FlowRegistry::Transaction swap = registry.begin();
          for (FlowModule& each : generation(number, number % 3 == 0))
            swap.register_(std::move(each));
          if (!swap.commit()) ++wrong;
          ++commits;
        }
      });
    for (std::size_t reader = 0; reader < readers; ++reader)
      threads.emplace_back([&] {
        start.arrive_and_wait();
        for (std::size_t i = 0; i < reads_each || commits.load() <= 2; ++i) {
          // One look gives both flows, of one generation, on both slugs.
          const std::vector<FlowHandle> all = registry.list();
          if (all.size() != 2 || generation_of(all[0]) != generation_of(all[1]) ||
              all[0]->definition.slug().view() != slugs[0] ||
              all[1]->definition.slug().view() != slugs[1] ||
              all[0]->definition.module() == all[1]->definition.module())
            ++wrong;
          // Each key always leads to a flow of that key: it neither vanishes nor leads elsewhere.
          for (const std::string& each : slugs) {
            const Result<FlowHandle> flow = registry.get(slug(each));
            if (!flow || (*flow)->definition.slug().view() != each) ++wrong;
          }
          for (const std::string& each : modules) {
            const Result<FlowHandle> flow = registry.get(module_name(each));
            if (!flow || (*flow)->definition.module().view() != each) ++wrong;
          }
        }
        --reading;
      });
    threads.clear();
    CHECK(wrong == 0);
    CHECK(commits > 2);
  }

  TEST_CASE("G3: a flow that comes and goes is there under both keys or under neither") {
    FlowRegistry registry;
    std::atomic<std::size_t> reading = readers;
    std::atomic<std::size_t> wrong = 0;
    std::atomic<std::size_t> seen = 0;
    std::latch start(readers + 1);
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      start.arrive_and_wait();
      while (reading.load() > 0) {
        registry.register_or_throw(module({}));
        if (!registry.unregister(module_name("shop.A"))) ++wrong;
      }
    });
    for (std::size_t reader = 0; reader < readers; ++reader)
      threads.emplace_back([&] {
        start.arrive_and_wait();
        for (std::size_t i = 0; i < reads_each || seen.load() == 0; ++i) {
          // Taking the flow by one key while it stays registered must find it under the other: so
          // the flow is looked up between two looks that found the very same registration.
          const Result<FlowHandle> before = registry.get(module_name("shop.A"));
          const Result<FlowHandle> between = registry.get(slug("a"));
          const Result<FlowHandle> after = registry.get(module_name("shop.A"));
          if (!before || before != after) continue;
          ++seen;
          if (between != before) ++wrong;
        }
        --reading;
      });
    threads.clear();
    CHECK(wrong == 0);
    CHECK(seen > 0);
  }

  TEST_CASE(
      "of many threads that register one module under one slug each exactly one wins each time") {
    FlowRegistry registry;
    constexpr std::size_t rounds = 200;
    for (std::size_t round = 0; round < rounds; ++round) {
      std::atomic<std::size_t> added = 0;
      std::latch start(readers);
      {
        std::vector<std::jthread> threads;
        for (std::size_t thread = 0; thread < readers; ++thread)
          threads.emplace_back([&, thread] {
            const std::string own = std::to_string(thread);
            FlowModule mine =
                module({.module = "shop.M" + own, .slug = "taken", .path = own + ".so"});
            start.arrive_and_wait();
            if (registry.register_(std::move(mine)) == FlowRegistry::Change::added) ++added;
          });
      }
      REQUIRE(added == 1);
      const std::vector<FlowHandle> all = registry.list();
      REQUIRE(all.size() == 1);
      REQUIRE(registry.unregister(all[0]->definition.module()));
    }
  }

  TEST_CASE("G6: a handle taken while writers replace the flow keeps its own code alive") {
    FlowRegistry registry;
    struct Library {
      std::atomic<bool>* open;
      ~Library() { *open = false; }
    };
    std::array<std::atomic<bool>, 500> open{};
    std::array<weir_step, 500> steps{};
    std::array<UnloadTicket, 500> replaced{};
    const auto register_next = [&](std::size_t i) {
      open[i] = true;
      FlowModule next = module({.max_attempts = static_cast<std::int64_t>(i + 1),
                                .code = std::make_shared<Library>(&open[i])});
      steps[i] = *code_of_a_step();
      steps[i].user = &open[i];
      next.steps = {&steps[i]};
      registry.register_or_throw(std::move(next), &replaced[i]);
    };
    register_next(0);
    std::atomic<std::size_t> wrong = 0;
    std::atomic<bool> done = false;
    std::vector<std::jthread> threads;
    for (std::size_t reader = 0; reader < readers; ++reader)
      threads.emplace_back([&] {
        while (!done.load()) {
          const FlowHandle held = *registry.find("a");
          if (!static_cast<std::atomic<bool>*>(held->steps[0]->user)->load()) ++wrong;
        }
      });
    for (std::size_t i = 1; i < open.size(); ++i) register_next(i);
    done = true;
    threads.clear();
    CHECK(wrong == 0);
    for (std::size_t i = 0; i + 1 < open.size(); ++i) {
      CHECK(replaced[i + 1].ready());
      CHECK_FALSE(open[i].load());
    }
    CHECK(open.back().load());
  }

  TEST_CASE("G5: a library that is slow to close holds up neither readers nor writers") {
    using namespace std::chrono_literals;
    FlowRegistry registry;
    std::future<bool> others;
    bool others_went_on = false;
    const auto closes_slowly = [&](const void*) {
      // On a thread of their own: on this one, taking a lock that is held would be undefined.
      others = std::async(std::launch::async, [&] {
        return registry.find("shop.A").has_value() && registry.unregister(module_name("shop.A"));
      });
      others_went_on = others.wait_for(10s) == std::future_status::ready;
    };
    registry.register_or_throw(
        module({.code = std::shared_ptr<const void>(&registry, closes_slowly)}));
    registry.register_or_throw(module({.max_attempts = 4}));
    CHECK(others_went_on);
    CHECK(others.get());
    CHECK(registry.list().empty());
  }
}

}  // namespace weir
