#include "worker/slots.hpp"

#include <atomic>
#include <fstream>
#include <map>
#include <thread>

#include <doctest/doctest.h>
#include <unistd.h>

#include "support/eventually.hpp"
#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

[[maybe_unused]] std::size_t address_space_mb() {
  std::ifstream file("/proc/self/statm");
  std::size_t pages = 0;
  file >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 1'048'576;
}

constexpr auto any = [](const Attempt&) { return true; };

// How many threads there are that have run a handler.
std::atomic<int> threads_alive = 0;
struct CountedThread {
  CountedThread() { ++threads_alive; }
  ~CountedThread() { --threads_alive; }
  void touch() {}
};
thread_local CountedThread counted_thread;

// Slots, and a flow whose handler runs until the test lets it go.
struct Threads {
  std::atomic<bool> let_go = false;
  std::atomic<int> begun = 0, woken = 0;
  TestFlow flow{"waits", {{"s", [this](TestCall& call) {
                             counted_thread.touch();
                             ++begun;
                             while (!let_go) std::this_thread::sleep_for(1ms);
                             return call.output("1");
                           }}}};
  LogLines lines;
  std::uint64_t next_ticket = 1;
  Slots slots;

  explicit Threads(std::size_t count, std::shared_ptr<FlightRecorder> recorder = nullptr)
      : slots(
            count, std::make_shared<StepResources>(), lines.log(), [this] { ++woken; },
            std::move(recorder)) {}
  ~Threads() {
    let_go = true;
    CHECK(slots.close(patience) == 0);
    CHECK(eventually([] { return threads_alive == 0; }));
  }

  std::shared_ptr<Attempt> start() {
    auto attempt = attempt_for_slots(flow);
    attempt->ticket = next_ticket++;
    slots.start({attempt});
    return attempt;
  }
  // Starts so many and waits until their handlers run.
  std::vector<std::shared_ptr<Attempt>> run(std::size_t count) {
    std::vector<std::shared_ptr<Attempt>> all;
    const int before = begun;
    for (std::size_t i = 0; i < count; ++i) all.push_back(start());
    REQUIRE(eventually([&] { return begun == before + static_cast<int>(count); }));
    return all;
  }
  // Waits until so many have ended.
  void take(std::size_t count) {
    std::size_t taken = 0;
    REQUIRE(eventually([&] { return (taken += slots.take_finished().size()) >= count; }));
    CHECK(taken == count);
  }
};

}  // namespace

TEST_SUITE("worker: slots") {
  TEST_CASE("the loop is woken once for all that it can take together") {
    for (int round = 0; round < 20; ++round) {
      Threads threads(4);
      threads.run(4);
      threads.let_go = true;
      threads.run(4);  // on their threads, which have told of the others
      CHECK(threads.woken == 1);
    }
  }

  TEST_CASE("F4: an abandoned handler loses its slot and its thread ends when it returns") {
    Threads threads(2);
    [[maybe_unused]] std::size_t after_first = 0;
    constexpr int rounds = 40;
    for (int round = 0; round < rounds; ++round) {
      threads.let_go = false;
      for (const auto& attempt : threads.run(2)) {
        threads.slots.abandon(*attempt);
        threads.slots.abandon(*attempt);  // again: nothing follows
      }
      threads.run(2);  // others have the slots
      CHECK(threads_alive == 4);
      CHECK(threads.slots.lost() == 0);
      threads.let_go = true;
      threads.take(4);
      CHECK(eventually([&] { return threads_alive == 2; }));
      if (round == 0) after_first = address_space_mb();
    }
    CHECK(threads.woken >= rounds);
    CHECK(threads.woken <= 4 * rounds);
#ifndef WEIR_BUILT_WITH_SANITIZERS
    CHECK(address_space_mb() < after_first + 128);  // the stacks of 80 threads are 640
#endif
    CHECK(threads.lines.text() == "");
  }

  TEST_CASE("F4: when too many are abandoned slots are lost until one of them returns") {
    Threads threads(1);
    std::vector<std::shared_ptr<Attempt>> stuck;
    for (std::size_t i = 0; i < Slots::threads_max(1); ++i) {
      CHECK(threads.lines.text() == "");
      CHECK(threads.slots.lost() == 0);
      stuck.push_back(threads.run(1).front());
      threads.slots.abandon(*stuck.back());
    }
    CHECK(threads_alive == 17);
    CHECK(threads.slots.lost() == 1);
    CHECK(threads.lines.with_levels() ==
          "error: 17 handlers ignore their stop tokens and keep their threads, which is the most "
          "that may: 1 of 1 slots are lost until one of them returns\n");
    const auto waits = threads.start();
    threads.let_go = true;
    threads.take(18);
    CHECK(waits->result.outcome == Outcome::completed);
    CHECK(threads.slots.lost() == 0);
    CHECK(eventually([&] { return threads_alive == 1; }));
    threads.run(1);  // the thread that came back serves
    threads.take(1);
  }

  TEST_CASE("L9: what is withdrawn never begins and what was given last is withdrawn first") {
    Threads threads(1);
    threads.run(1);
    const auto second = threads.start(), third = threads.start(), fourth = threads.start();
    CHECK(threads.slots.withdraw(2, any) == std::vector{fourth, third});
    CHECK(threads.slots.withdraw(0, any).empty());
    CHECK(threads.slots.withdraw(9, any) == std::vector{second});
    CHECK(threads.slots.withdraw(9, any).empty());
    threads.let_go = true;
    threads.take(1);
    CHECK(threads.begun == 1);
  }

  TEST_CASE("L9: what is not chosen to be withdrawn waits on") {
    Threads threads(1);
    threads.run(1);
    const auto second = threads.start(), third = threads.start(), fourth = threads.start();
    const auto but_third = [&](const Attempt& attempt) { return &attempt != third.get(); };
    CHECK(threads.slots.withdraw(1, but_third) == std::vector{fourth});
    CHECK(threads.slots.withdraw(9, but_third) == std::vector{second});
    threads.let_go = true;
    threads.take(2);
    CHECK(third->result.outcome == Outcome::completed);
  }

  TEST_CASE("L9: each attempt is run or withdrawn and never both however both race") {
    Threads threads(2);
    threads.let_go = true;
    std::map<std::uint64_t, int> seen;
    constexpr int attempts = 2'000;
    const auto note = [&](const auto& some) {
      for (const auto& attempt : some) ++seen[attempt->ticket];
    };
    std::size_t withdrawn = 0;
    for (int i = 0; i < attempts; ++i) {
      threads.start();
      if (i % 3 == 0) continue;
      const auto some = threads.slots.withdraw(1, any);
      withdrawn += some.size();
      note(some);
    }
    REQUIRE(eventually([&] {
      note(threads.slots.take_finished());
      return seen.size() == attempts;
    }));
    for (const auto& [ticket, times] : seen) CHECK(times == 1);
    CHECK(static_cast<std::size_t>(threads.begun) == attempts - withdrawn);
  }

  TEST_CASE("F1: no handler runs on a thread whose crash the flight recorder could not assign") {
    auto recorder = FlightRecorder::make(1);
    REQUIRE(recorder.has_value());
    const auto shared = std::make_shared<FlightRecorder>(*std::move(recorder));
    Threads threads(2, shared);
    CHECK(eventually([&] { return threads.slots.lost() == 1; }));
    CHECK(threads.lines.with_levels() ==
          "error: the flight recorder has no seat for another thread, so a slot is lost: handlers "
          "that ignore their stop tokens have them all; restart weir serve\n");
    threads.run(1);
    threads.start();
    CHECK(shared->seats()[0].state == flight::SeatRecord::in_call);
    threads.let_go = true;
    threads.take(2);
  }

  TEST_CASE("F1: the thread that replaces another has a seat also when the last one was taken") {
    auto recorder = FlightRecorder::make(2);
    REQUIRE(recorder.has_value());
    Threads threads(1, std::make_shared<FlightRecorder>(*std::move(recorder)));
    for (int round = 0; round < 50; ++round) {
      threads.let_go = false;
      threads.slots.abandon(*threads.run(1).front());
      threads.let_go = true;
      threads.take(1);  // its thread has given its seat back
    }
    CHECK(threads.slots.lost() == 0);
    CHECK(threads.lines.text() == "");
  }
}
