/// Scenarios of deferred calls: what DeferredCall, DeferredCalls and SlotBook must survive together, and
/// copies of them with a mistake must not. The rest of the worker, and the plugin, are modelled here.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/registry/cancellation.hpp>
#include <weir/testing/lockstep.hpp>

#include "step/deferred_call.hpp"
#include "worker/slot_book.hpp"

namespace weir::deferred {

using lockstep::require;
using lockstep::Sync;
using namespace std::chrono_literals;

constexpr std::int32_t pending = -1;

// One attempt, whose handle keeps the plugin's code.
struct Attempt {
  std::shared_ptr<const void> code = {};
  Cancellation<Sync> stop{};
  std::uint64_t deferred_as = 0;
  std::int32_t result = 0;  // 0: none
  int results = 0;          // how often it was given one
};
using Pointer = std::shared_ptr<Attempt>;

struct Worker;

// As weir_call.
struct Call {
  Call(Pointer of, Worker& by) : attempt(std::move(of)), worker(by) {}

  DeferredCall<Sync> end;
  Pointer attempt;
  Worker& worker;
  std::vector<std::shared_ptr<const void>> acquired;

  Sync::Atomic<std::size_t>& places() const;
  void note_completed() const {}
  void complete(const DeferredCall<Sync>::Completion& completion);
};

// What the plugin does with its call, as numbers.
struct Plugin {
  Worker* worker = nullptr;
  std::uint64_t number = 0;

  bool complete(std::int32_t result) const;
  // False: refused.
  bool on_stop(const Attempt& attempt, std::function<void()> stopped) const;
};

// The slots of a worker, as Slots and call_step().
struct Worker {
  // Runs on a slot's thread, once for each attempt. Returns a result, or `pending`.
  std::function<std::int32_t(const Pointer&, const std::shared_ptr<Call>&)> handler;
  std::size_t places_max = 10;
  Sync::Atomic<std::size_t> taken{0};
  DeferredCalls<Call, Sync, 1> calls{};
  SlotBook<Attempt, Sync> book{
      1,
      {.on_finished = [] {},
       .end = [this](const Attempt& attempt) { calls.end(attempt.deferred_as); }}};
  Sync::Thread slot{};
  std::vector<Pointer> finished{};

  Plugin defer(const std::shared_ptr<Call>& call) {
    return {this, call->end.defer([&]() -> std::uint64_t {
              if (!take_place(taken, places_max)) return 0;
              return call->attempt->deferred_as = calls.add(call);
            })};
  }

  static void give(Attempt& attempt, std::int32_t result) {
    attempt.result = result;
    require(++attempt.results == 1, "an attempt was given two results");
  }

  bool run(const Pointer& attempt) {
    const auto call = std::make_shared<Call>(attempt, *this);
    const std::int32_t returned = handler(attempt, call);
    const auto end = call->end.returned(returned, returned == pending);
    using enum DeferredCall<Sync>::Returned::How;
    if (end.how == DeferredCall<Sync>::Returned::How::pending) return true;
    give(*attempt, end.how == not_pending ? 0 : end.result);
    return false;
  }

  void start(const Pointer& attempt) {
    slot = Sync::Thread(
        [this] { book.serve(0, [this](const Pointer& each) { return run(each); }, [] {}); });
    book.start({attempt});
  }
  void abandon(const Attempt& attempt) {
    book.abandon(attempt, [](std::size_t, const auto&) { return false; });
  }
  void take() {
    for (Pointer& each : book.take_finished()) finished.push_back(std::move(each));
  }
  void await_finished() {
    for (take(); finished.empty(); take()) Sync::yield();
  }
  // All is over: nothing is left.
  void close() {
    while (book.close(1h) > 0) continue;  // time may pass though the threads could go on
    if (slot.joinable()) slot.join();
    take();
    require(book.pending() == 0, "a call is pending for ever");
    require(book.lost() == 0, "a slot is lost for ever");
    require(taken == 0, "a place is taken for ever");
  }
};

inline Sync::Atomic<std::size_t>& Call::places() const { return worker.taken; }

inline void Call::complete(const DeferredCall<Sync>::Completion& completion) {
  if (completion.finishes) Worker::give(*attempt, completion.counts ? completion.result : 0);
  auto held = end.use([&] { return std::exchange(acquired, {}); });
  if (!held.empty()) worker.book.release(std::move(held));
  if (completion.finishes) worker.book.completed(attempt);
}

inline bool Plugin::complete(std::int32_t result) const {
  return worker->calls.complete(number, result) == Completed::in_time;
}

inline bool Plugin::on_stop(const Attempt& attempt, std::function<void()> stopped) const {
  using Callback = Cancellation<Sync>::Callback;
  const auto call = worker->calls.find(number);
  return call &&
         call->end.on_stop(std::make_shared<Callback>(const_cast<Cancellation<Sync>&>(attempt.stop),
                                                      std::move(stopped), Callback::Unarmed{}));
}

// What stopped() is told, which must not be told any more after its end.
struct Told {
  int times = 0;
  bool running = false, over = false;

  std::function<void()> by() {
    return by([] {});
  }
  std::function<void()> by(std::function<void()> then) {
    return [this, then = std::move(then)] {
      require(!over, "it is told after its end");
      require(++times == 1, "it is told twice");
      running = true;
      lockstep::point();
      then();
      running = false;
    };
  }
  // complete() or the next on_stop() has returned, on another thread.
  void ends() {
    require(!running, "it is told after its end");
    over = true;
  }
};

// The plugin completes the call while the handler returns.
inline void a_completion_meets_the_return() {
  Sync::Thread plugin;
  bool accepted = false;
  Worker worker{.handler = [&](const Pointer&, const auto& call) {
    const Plugin deferred = worker.defer(call);
    plugin = Sync::Thread([&, deferred] { accepted = deferred.complete(7); });
    return pending;
  }};
  worker.start(std::make_shared<Attempt>());
  worker.await_finished();
  plugin.join();
  worker.close();
  require(accepted, "a completion in time was refused");
  require(worker.finished.size() == 1, "an attempt is finished twice");
  require(worker.finished[0]->result == 7, "a completion was forgotten");
}

inline void two_complete_at_once() {
  Sync::Thread one, two;
  bool first = false, second = false;
  Worker worker{.handler = [&](const Pointer&, const auto& call) {
    const Plugin deferred = worker.defer(call);
    one = Sync::Thread([&, deferred] { first = deferred.complete(1); });
    two = Sync::Thread([&, deferred] { second = deferred.complete(2); });
    return pending;
  }};
  worker.start(std::make_shared<Attempt>());
  worker.await_finished();
  one.join();
  two.join();
  worker.close();
  require(first != second, "not one of two completions was accepted");
  require(worker.finished.size() == 1, "an attempt is finished twice");
  require(worker.finished[0]->result == (first ? 1 : 2), "the refused completion counts");
}

// Its time is over: the attempt is abandoned, running, pending or completed.
inline void a_completion_meets_its_timeout() {
  Sync::Thread plugin;
  bool accepted = false, over = false;
  Worker worker{.handler = [&](const Pointer&, const auto& call) {
    const Plugin deferred = worker.defer(call);
    plugin = Sync::Thread([&, deferred] {
      const bool late = over;
      accepted = deferred.complete(7);
      require(!accepted || !late, "a completion was accepted after its attempt was over");
    });
    return pending;
  }};
  const auto attempt = std::make_shared<Attempt>();
  worker.start(attempt);
  worker.abandon(*attempt);
  // Unless it had a slot, or had not begun.
  over = attempt->deferred_as != 0 && worker.book.lost() == 0;
  worker.await_finished();
  plugin.join();
  worker.close();
  require(worker.finished.size() == 1, "an attempt is finished twice");
  require(worker.finished[0]->result == (accepted ? 7 : 0), "the result is another than was said");
}

// The handler that is abandoned returns with its call pending.
inline void a_handler_defers_though_it_was_abandoned() {
  Worker worker;
  std::optional<Plugin> deferred;
  const auto attempt = std::make_shared<Attempt>();
  bool abandoned = false;
  worker.handler = [&](const Pointer&, const auto& call) {
    deferred = worker.defer(call);
    worker.abandon(*attempt);
    abandoned = true;
    return pending;
  };
  worker.start(attempt);
  while (!abandoned || worker.book.lost() != 0) Sync::yield();
  require(worker.book.pending() == 0, "what is over is pending");
  require(!deferred->complete(7), "a completion was accepted after its attempt was over");
  worker.close();
  require(worker.finished.size() == 1 && worker.finished[0]->result == 0, "it is not finished");
}

// A lost lease: the loop stops all attempts, gives them up a second later, and forgets them.
inline void a_lost_lease_meets_the_completion() {
  Sync::Thread plugin;
  bool accepted = false, refused_by_stop = false;
  Told told;
  Worker worker{.handler = [&](const Pointer& attempt, const auto& call) {
    const Plugin deferred = worker.defer(call);
    deferred.on_stop(*attempt, told.by([&, deferred] { refused_by_stop = !deferred.complete(9); }));
    plugin = Sync::Thread([&, deferred] {
      accepted = deferred.complete(7);
      if (accepted) told.ends();  // else it may have completed the call itself
    });
    return pending;
  }};
  const auto attempt = std::make_shared<Attempt>();
  worker.start(attempt);
  while (attempt->deferred_as == 0) Sync::yield();
  attempt->stop.cancel();
  worker.abandon(*attempt);
  worker.await_finished();
  plugin.join();
  worker.close();
  require(worker.finished.size() == 1, "an attempt is finished twice");
  const std::int32_t said = accepted ? 7 : told.times == 1 && !refused_by_stop ? 9 : 0;
  require(worker.finished[0]->result == said, "the result is another than was said");
}

// Stopped: what the callback completes and what completes by itself.
inline void a_completion_meets_the_stop() {
  Sync::Thread plugin;
  bool accepted = false, accepted_in_stop = false;
  Told told;
  const auto attempt = std::make_shared<Attempt>();
  Worker worker{.handler = [&](const Pointer&, const auto& call) {
    const Plugin deferred = worker.defer(call);
    plugin = Sync::Thread([&, deferred] {
      accepted = deferred.complete(7);
      if (accepted) told.ends();  // else it may have completed the call itself
    });
    deferred.on_stop(*attempt, told.by([&, deferred] { accepted_in_stop = deferred.complete(9); }));
    return pending;
  }};
  worker.start(attempt);
  attempt->stop.cancel();
  worker.await_finished();
  plugin.join();
  worker.close();
  require(accepted != accepted_in_stop, "not one of two completions was accepted");
  require(worker.finished.size() == 1, "an attempt is finished twice");
  require(worker.finished[0]->result == (accepted ? 7 : 9), "the refused completion counts");
}

// Another callback takes the place of one that may run.
inline void a_stop_meets_the_next_callback() {
  const auto attempt = std::make_shared<Attempt>();
  Told first, second;
  Worker worker;
  const auto call = std::make_shared<Call>(attempt, worker);
  const Plugin deferred = worker.defer(call);
  require(deferred.on_stop(*attempt, first.by()), "a callback was refused");
  Sync::Thread cancels([&] { attempt->stop.cancel(); });
  require(deferred.on_stop(*attempt, second.by()), "a callback was refused");
  first.ends();
  cancels.join();
  require(second.times == 1, "the callback that was there was not told");
  require(deferred.complete(7), "a completion in time was refused");
  second.ends();
  require(!deferred.on_stop(*attempt, [] { require(false, "what is over was told"); }),
          "a callback was taken after the end");
}

// Registered while another thread completes the call, and what the callback uses is gone then.
inline void a_callback_meets_the_completion() {
  const auto attempt = std::make_shared<Attempt>();
  Told told;
  Worker worker;
  const auto call = std::make_shared<Call>(attempt, worker);
  const Plugin deferred = worker.defer(call);
  Sync::Thread cancels([&] { attempt->stop.cancel(); });
  Sync::Thread completes([&] {
    require(deferred.complete(7), "a completion in time was refused");
    told.ends();
  });
  const bool taken = deferred.on_stop(*attempt, told.by());
  require(taken || told.times == 0, "what was refused was told");
  completes.join();
  cancels.join();
}

// The slots close while a call is pending, at most for a while, or in time.
inline void a_completion_meets_the_close() {
  Sync::Thread plugin;
  bool accepted = false, closed = false;
  Worker worker{.handler = [&](const Pointer&, const auto& call) {
    const Plugin deferred = worker.defer(call);
    plugin = Sync::Thread([&, deferred] {
      const bool late = closed;
      accepted = deferred.complete(7);
      require(!accepted || !late, "a completion was accepted after its attempt was over");
    });
    return pending;
  }};
  worker.start(std::make_shared<Attempt>());
  while (worker.book.pending() == 0 && worker.finished.empty()) {
    Sync::yield();
    worker.take();
  }
  const std::size_t left = worker.book.close(10ms);
  closed = true;
  plugin.join();
  worker.slot.join();
  worker.take();
  require(left == 0 || left == 1 || left == 2, "more is left than there was");
  require(worker.finished.size() == 1, "an attempt is not finished once");
  require(worker.finished[0]->result == (accepted ? 7 : 0), "the result is another than was said");
  require(worker.book.pending() == 0 && worker.taken == 0, "something is left");
}

// The slots give up a handler that runs, which defers its call and returns later.
inline void a_handler_returns_after_the_close() {
  Worker worker;
  std::optional<Plugin> deferred;
  worker.handler = [&](const Pointer&, const auto& call) {
    deferred = worker.defer(call);
    return pending;
  };
  worker.start(std::make_shared<Attempt>());
  worker.book.close(0ms);
  worker.slot.join();
  require(worker.book.pending() == 0, "a call is pending after the close");
  if (deferred)  // else it was never begun
    require(!deferred->complete(7), "a completion was accepted after its attempt was over");
}

// What a call has acquired is destroyed on the loop's thread, which may wait for those of the plugin.
inline void the_loop_releases_what_was_acquired() {
  const std::size_t loop = Sync::thread_index();
  int released = 0;
  Sync::Thread plugin;
  Worker worker{.handler = [&](const Pointer&, const auto& call) {
    call->acquired.push_back(std::shared_ptr<const void>(nullptr, [&](const void*) {
      require(Sync::thread_index() == loop, "a thread of the plugin releases a resource");
      ++released;
    }));
    const Plugin deferred = worker.defer(call);
    plugin = Sync::Thread([&, deferred] { deferred.complete(7); });
    return pending;
  }};
  worker.start(std::make_shared<Attempt>());
  worker.await_finished();
  worker.finished.clear();
  plugin.join();
  worker.close();
  require(released == 1, "a resource is not released once");
}

// The flow is removed, and the worker gives up the attempt and forgets it: its code stays until the
// plugin has completed its call.
inline void the_code_stays_until_its_call_is_completed() {
  Sync::Thread plugin;
  int unloads = 0;
  bool in_use = true;
  {
    Worker worker{.handler = [&](const Pointer&, const auto& call) {
      const Plugin deferred = worker.defer(call);
      plugin = Sync::Thread([&, deferred] {
        lockstep::point();
        require(unloads == 0, "a pending call and its code are forgotten");
        require(deferred.worker->calls.find(deferred.number) != nullptr,
                "a pending call and its code are forgotten");
        in_use = false;
        deferred.complete(7);
      });
      return pending;
    }};
    auto attempt = std::make_shared<Attempt>();
    attempt->code = std::shared_ptr<const void>(nullptr, [&](const void*) {
      require(!in_use, "a pending call and its code are forgotten");
      ++unloads;
    });
    worker.start(attempt);
    worker.abandon(*attempt);
    attempt.reset();
    worker.await_finished();
    worker.finished.clear();
    plugin.join();
    worker.close();
  }
  require(unloads == 1, "the code is not unloaded once");
}

// More calls than may be.
inline void no_more_calls_are_deferred_than_may_be() {
  Worker worker{.handler = {}, .places_max = 1};
  std::uint64_t before = 0;
  int deferred = 0;
  const auto call = [&](bool is_over) {
    const auto made = std::make_shared<Call>(std::make_shared<Attempt>(), worker);
    const Plugin plugin = worker.defer(made);
    if (plugin.number == 0) return;
    require(++deferred == 1, "more calls are deferred than may be");
    require(worker.calls.find(before) == nullptr, "more calls are deferred than may be");
    before = plugin.number;
    if (is_over) made->end.end();
    --deferred;
    require(plugin.complete(7) != is_over, "a completion was answered wrongly");
  };
  Sync::Thread one([&] { call(false); });
  Sync::Thread two([&] { call(true); });
  call(false);
  one.join();
  two.join();
  require(worker.taken == 0, "a place is taken for ever");
  call(false);
  require(before == 2 || before == 3 || before == 4, "there is no place though none is taken");
}

// An abandoned handler returns while another thread takes its slot.
inline void an_abandoned_handler_loses_its_slot() {
  Worker worker;
  Sync::Thread other;
  worker.handler = [&](const Pointer&, const auto&) { return 1; };
  const auto first = std::make_shared<Attempt>();
  worker.start(first);
  worker.book.abandon(*first, [&](std::size_t, const auto& threads) {
    require(threads.alive == 1 && threads.abandoned == 1 && threads.lost == 1,
            "threads are counted wrongly");
    other = Sync::Thread([&] {
      worker.book.serve(1, [&](const Pointer& each) { return worker.run(each); }, [] {});
    });
    return true;
  });
  if (other.joinable()) worker.slot.join();  // it ends by itself
  worker.book.start({std::make_shared<Attempt>()});
  while (worker.finished.size() < 2) {
    Sync::yield();
    worker.take();
  }
  worker.close();
  if (other.joinable()) other.join();
  require(worker.finished.size() == 2, "an attempt is finished twice");
}

}  // namespace weir::deferred
