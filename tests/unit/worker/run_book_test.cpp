#include "worker/run_book.hpp"

#include <set>

#include <doctest/doctest.h>

#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// Runs of a map, whose elements are all due.
struct WideRuns {
  TestFlow flow{"wide", {{"each", returns("1"), {}, "map"}}};
  RunBook runs;

  OwnedRun& add(RunKey key, const char* input, int priority = 0) {
    OwnedRun& run = add_run(runs, flow, claim_of(key, input, priority));
    run.refresh(start);
    return run;
  }
  std::string take(std::size_t count, const std::set<RunKey>& held = {}) {
    std::string taken;
    runs.take_due(count,
                  {.is_held =
                       [&](const OwnedRun& run) {
                         for (const RunKey key : held)
                           if (&runs.at(key) == &run) return true;
                         return false;
                       }},
                  [&](RunKey key, OwnedRun& run, const ReadyTask& ready) {
                    CHECK(&run == &runs.at(key));
                    taken +=
                        fmt::format("{}{}:{}", taken.empty() ? "" : " ", key, ready.task.index);
                  });
    return taken;
  }
};

}  // namespace

TEST_SUITE("worker: run book") {
  TEST_CASE("an empty book has nothing due and never wakes") {
    WideRuns book;
    CHECK(book.take(5) == "");
    CHECK(book.runs.due() == 0);
    CHECK(book.runs.empty());
    CHECK_FALSE(book.runs.wakes_at(start).has_value());
    CHECK(book.runs.find(1) == nullptr);
  }

  TEST_CASE("runs of one priority give one task each in turn") {
    WideRuns book;
    book.add(1, "[0, 0, 0]");
    book.add(2, "[0]");
    book.add(3, "[0, 0]");
    CHECK(book.runs.due() == 6);
    CHECK(book.take(100) == "1:0 2:0 3:0 1:1 3:1 1:2");
    CHECK(book.runs.due() == 0);
  }

  TEST_CASE("all tasks of a higher priority go before those of a lower one") {
    WideRuns book;
    book.add(1, "[0, 0]", -100);
    book.add(2, "[0]");
    book.add(3, "[0, 0]", 100);
    book.add(4, "[0]", 100);
    CHECK(book.take(100) == "3:0 4:0 3:1 2:0 1:0 1:1");
  }

  TEST_CASE("no more tasks are taken than were asked for and the others stay due") {
    WideRuns book;
    book.add(1, "[0, 0]", 1);
    book.add(2, "[0, 0]");
    CHECK(book.take(0) == "");
    CHECK(book.take(1) == "1:0");
    CHECK(book.take(2) == "1:1 2:0");
    CHECK(book.runs.due() == 1);
    CHECK(book.take(2) == "2:1");
  }

  TEST_CASE("C2: a held run keeps its tasks and holds up no other") {
    WideRuns book;
    book.add(1, "[0, 0]", 1);
    book.add(2, "[0, 0]");
    book.add(3, "[0]");
    CHECK(book.take(100, {1, 2}) == "3:0");
    CHECK(book.runs.due() == 4);
    CHECK(book.take(100, {1}) == "2:0 2:1");
    CHECK(book.take(100) == "1:0 1:1");
  }

  TEST_CASE("a run that leaves gives no more tasks and its place is free for the same run again") {
    WideRuns book;
    book.add(1, "[0]", 1).leaving = true;
    book.add(2, "[0]");
    CHECK(book.take(1) == "2:0");
    CHECK(book.runs.size() == 2);
    book.runs.remove_leaving([](RunKey run) { return run != 11; });
    CHECK(book.runs.size() == 1);
    CHECK(book.runs.find(1) == nullptr);
    CHECK(book.runs.find(2) == &book.runs.at(2));
    book.add(1, "[0, 0]", -1);
    book.add(3, "[0]");
    CHECK(book.take(100) == "3:0 1:0 1:1");
  }

  TEST_CASE("L8: a run that leaves later than it wants wakes nobody and counts nowhere") {
    WideRuns book;
    book.add(1, "[0]").leaving = true;
    CHECK(book.runs.due() == 0);
    const TestFlow paid("paid", {TestFlow::wait("paid", {}, 60'000)});
    OwnedRun& run = add_run(book.runs, paid, claim_of(2));
    run.refresh(start);
    CHECK(book.runs.wakes_at(start) == start + 60s);
    run.leaving = true;
    CHECK_FALSE(book.runs.wakes_at(start + 61s).has_value());
  }

  TEST_CASE("a cleared book gives nothing") {
    WideRuns book;
    book.add(1, "[0]");
    book.runs.clear();
    CHECK(book.runs.empty());
    CHECK(book.take(5) == "");
  }

  TEST_CASE("it wakes with the first run that has something to do") {
    WideRuns book;
    book.add(1, "[0]");
    CHECK_FALSE(book.runs.wakes_at(start).has_value());
    const TestFlow paid("paid", {TestFlow::wait("paid", {}, 60'000)});
    add_run(book.runs, paid, claim_of(2)).refresh(start);
    CHECK(book.runs.wakes_at(start) == start + 60s);
    const TestFlow sooner("sooner", {TestFlow::wait("paid", {}, 20'000)});
    add_run(book.runs, sooner, claim_of(3)).refresh(start);
    CHECK(book.runs.wakes_at(start) == start + 20s);
    const TestFlow parent("parent", {TestFlow::child("call", {}, "other")});
    OwnedRun& run = add_run(book.runs, parent, claim_of(4));
    run.refresh(start);
    CHECK(book.runs.wakes_at(start) == start + 20s);
    run.take_child_start();
    CHECK(book.runs.wakes_at(start) == start + OwnedRun::park_after);
  }
}
