#pragma once
#include <atomic>
#include <mutex>

#include <weir/testing/lockstep.hpp>

/// Small uses of what the Sync policy has, right or with the mistake that each invites. The mistakes
/// pass nearly always on real machines.
namespace weir::primitives {

using lockstep::require;
using lockstep::Sync;

template <bool loops>
void nobody_passes_a_closed_gate() {
  Sync::Mutex mutex;
  Sync::Condition opened;
  bool open = false;
  Sync::Thread opens([&] {
    const std::scoped_lock lock(mutex);
    open = true;
    opened.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    if constexpr (loops)
      opened.wait(lock, [&] { return open; });
    else if (!open)
      opened.wait(lock);  // a wait may end without a notification
    require(open, "passed a closed gate");
  }
  opens.join();
}

template <bool loops>
void what_is_offered_is_taken() {
  Sync::Atomic<int> offered = 0;
  Sync::Thread offers([&] { offered.store(7); });
  offers.join();
  int expected = 7;
  bool taken = offered.compare_exchange_weak(expected, 0);  // may fail for no reason
  if constexpr (loops)
    while (!taken && expected == 7) taken = offered.compare_exchange_weak(expected, 0);
  require(taken, "not taken");
}

template <bool loops>
void an_answer_is_awaited() {
  Sync::Atomic<bool> begun = false;
  Sync::Atomic<int> answer = 0;
  Sync::Thread answers([&] {
    begun.store(true);
    answer.store(42);
  });
  while (!begun.load()) Sync::yield();
  if constexpr (loops)
    while (answer.load() == 0) Sync::yield();
  else
    Sync::yield();  // the other one may not have run
  require(answer.load() == 42, "no answer");
  answers.join();
}

template <bool fenced>
void of_two_that_look_for_each_other_one_sees_the_other() {
  Sync::Atomic<bool> here_a = false;
  Sync::Atomic<bool> here_b = false;
  const auto comes = [](Sync::Atomic<bool>& own, Sync::Atomic<bool>& other, bool& alone) {
    own.store(true, std::memory_order_relaxed);
    if constexpr (fenced) Sync::fence(std::memory_order_seq_cst);
    alone = !other.load(std::memory_order_relaxed);  // may come before the store
  };
  bool alone_a = false;
  bool alone_b = false;
  Sync::Thread a([&] { comes(here_a, here_b, alone_a); });
  Sync::Thread b([&] { comes(here_b, here_a, alone_b); });
  a.join();
  b.join();
  require(!alone_a || !alone_b, "both believe to be alone");
}

template <bool fenced>
void who_is_told_of_a_page_reads_what_stands_on_it() {
  Sync::Atomic<int> page = 0;
  Sync::Atomic<bool> written = false;
  Sync::Thread writes([&] {
    page.store(1, std::memory_order_relaxed);
    if constexpr (fenced) Sync::fence(std::memory_order_release);
    written.store(true, std::memory_order_relaxed);
  });
  if (written.load(std::memory_order_acquire))
    require(page.load(std::memory_order_relaxed) == 1, "the page is empty");
  writes.join();
}

}  // namespace weir::primitives
