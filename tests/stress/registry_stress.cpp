// Readers, writers, reloads and pins on real threads, for as long as WEIR_STRESS_SECONDS says. Run
// it under a sanitizer: it looks for what schedules cannot show, and that memory does not grow.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/flow_registry.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t flows_count = 300;  // more than one shard, and they come and go
constexpr std::int64_t numbers = 8;

std::chrono::milliseconds duration() {
  const char* text = std::getenv("WEIR_STRESS_SECONDS");
  return std::chrono::seconds(text == nullptr ? 1 : std::strtoll(text, nullptr, 10));
}

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * 4096;
}

// Stands for a library: what runs its code looks here whether it is still mapped. Never freed, so
// that a mistake is counted and not a crash.
class Libraries {
 public:
  struct Library {
    std::atomic<bool> open{false};
    weir_step step{};
  };

  std::pair<const weir_step*, std::shared_ptr<const void>> map() {
    Library* library = nullptr;
    {
      const std::scoped_lock lock(mutex_);
      if (closed_.size() > 64) {  // a library's place is taken again only after a while
        library = closed_.front();
        closed_.erase(closed_.begin());
      } else {
        all_.push_back(std::make_unique<Library>());
        library = all_.back().get();
        library->step = {.struct_size = sizeof(weir_step),
                         .reserved = 0,
                         .slug = {"s", 1},
                         .run = [](const weir_host*, weir_call*, weir_str, void*) -> int32_t {
                           return WEIR_CANCELLED;
                         },
                         .user = library};
      }
    }
    library->open = true;
    ++mapped;
    return {&library->step, std::shared_ptr<const void>(library, [this, library](const void*) {
              library->open = false;
              --mapped;
              const std::scoped_lock lock(mutex_);
              closed_.push_back(library);
            })};
  }

  static bool is_open(const FlowModule& module) {
    return static_cast<const Library*>(module.steps[0]->user)->open.load();
  }

  std::atomic<std::ptrdiff_t> mapped = 0;

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Library>> all_;
  std::vector<Library*> closed_;
};

// Definitions are made once: this is about the registry.
class Definitions {
 public:
  Definitions() {
    for (std::size_t i = 0; i < flows_count; ++i)
      for (std::int64_t number = 1; number <= numbers; ++number)
        all_.push_back(FlowDefinition::build({.module = "shop.M" + std::to_string(i),
                                              .slug = "flow_" + std::to_string(i),
                                              .options = {.max_attempts = number},
                                              .steps = {{.slug = "s"}}})
                           .value());
  }
  const FlowDefinition& of(std::size_t flow, std::int64_t number) const {
    return all_[flow * numbers + static_cast<std::size_t>(number - 1)];
  }

 private:
  std::vector<FlowDefinition> all_;
};

}  // namespace

TEST_SUITE("stress") {
  TEST_CASE("G5 and G6: readers and writers and reloads and pins for a while") {
    const Definitions definitions;
    Libraries libraries;
    std::atomic<std::size_t> wrong = 0;
    std::atomic<std::size_t> reads = 0;
    std::atomic<std::size_t> commits = 0;
    std::atomic<std::size_t> unloaded = 0;
    std::size_t warm = 0;
    std::size_t end = 0;
    {
      FlowRegistry registry;
      std::atomic<bool> stop = false;
      std::vector<std::jthread> threads;
      const auto check = [&](bool holds) {
        if (!holds) ++wrong;
      };
      const auto module = [&](std::size_t flow, std::int64_t number) {
        auto [step, code] = libraries.map();
        return FlowModule{.definition = definitions.of(flow, number),
                          .steps = {step},
                          .file = {.path = "a.so", .sha256 = std::to_string(number)},
                          .code = std::move(code)};
      };
      for (unsigned reader = 0; reader < 2; ++reader)
        threads.emplace_back([&, reader] {  // sections
          std::mt19937 random(reader);
          while (!stop) {
            const std::size_t flow = random() % flows_count;
            const FlowDefinition& wanted = definitions.of(flow, 1);
            const FlowRegistry::Section section(registry);
            const FlowModule* by_slug = section.flow(wanted.slug());
            check(by_slug == section.flow(wanted.module()));
            if (by_slug != nullptr)
              check(Libraries::is_open(*by_slug) && by_slug->definition.slug() == wanted.slug());
            ++reads;
          }
        });
      for (unsigned holder = 0; holder < 2; ++holder)
        threads.emplace_back([&, holder] {  // handles, held for a while and copied
          std::mt19937 random(10 + holder);
          std::array<FlowHandle, 16> held;
          while (!stop) {
            FlowHandle& place = held[random() % held.size()];
            if (place) check(Libraries::is_open(*place));
            const FlowDefinition& wanted = definitions.of(
                random() % flows_count, 1 + static_cast<std::int64_t>(random() % numbers));
            if (random() % 4 == 0) {
              place = held[random() % held.size()];
            } else if (auto found = random() % 2 == 0
                                        ? registry.get(wanted.slug())
                                        : registry.get(wanted.slug(), wanted.fingerprint())) {
              check((*found)->definition.slug() == wanted.slug());
              place = *std::move(found);
            }
            if (place) check(Libraries::is_open(*place));
          }
        });
      for (unsigned writer = 0; writer < 2; ++writer)
        threads.emplace_back([&, writer] {  // reloads, and old ones retired once nobody holds them
          std::mt19937 random(20 + writer);
          std::vector<UnloadTicket> tickets;
          while (!stop) {
            FlowRegistry::Transaction transaction = registry.begin();
            for (std::size_t i = 0; i < 1 + random() % 3; ++i) {
              const std::size_t flow = random() % flows_count;
              const std::int64_t number = 1 + static_cast<std::int64_t>(random() % numbers);
              const FlowDefinition& definition = definitions.of(flow, number);
              switch (random() % 8) {
                case 0:
                  transaction.unregister(definition.module());
                  break;
                case 1:
                  transaction.register_(module(flow, number));
                  break;
                case 2:
                case 3:
                  transaction.succeed(module(flow, number));
                  break;
                default:
                  transaction.retire(definition.slug(), definition.fingerprint());
              }
            }
            const auto committed = transaction.commit();
            check(committed.has_value());
            ++commits;
            if (committed) tickets.push_back(committed->unload);
            if (tickets.size() > 8) {
              if (tickets.front().wait_until(StdSync::Clock::now() + 1ms)) ++unloaded;
              tickets.erase(tickets.begin());
            }
          }
        });
      threads.emplace_back(
          [&] {  // what costs a round over everything, and threads that come and go
            while (!stop) {
              std::jthread([&] {
                for (const auto& each : registry.versions()) check(Libraries::is_open(*each.flow));
                check(registry.list().size() <= flows_count);
              }).join();
              std::this_thread::yield();
            }
          });
      std::this_thread::sleep_for(duration() / 3);
      warm = resident_bytes();
      std::this_thread::sleep_for(duration() - duration() / 3);
      end = resident_bytes();
      stop = true;
      threads.clear();
    }
    std::printf(
        "%zu reads, %zu commits, %zu tickets ready in time; resident %zu KiB, then %zu KiB\n",
        reads.load(), commits.load(), unloaded.load(), warm / 1024, end / 1024);
    CHECK(wrong == 0);
    CHECK(reads > 0);
    CHECK(commits > 0);
    CHECK(libraries.mapped == 0);
#ifndef WEIR_BUILT_WITH_SANITIZERS  // which keep what was freed; theirs tell leaks at the end
    // Over a second the allocator's own habits show; over a minute a leak would be far more.
    if (duration() >= 30s) CHECK(end < warm + warm / 8 + (8U << 20U));
#endif
  }
}

}  // namespace weir
