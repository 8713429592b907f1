/// Scenarios of callbacks of a cancellation: what Cancellation must survive, and copies of it with a
/// mistake must not.
#pragma once
#include <memory>

#include <weir/registry/cancellation.hpp>
#include <weir/testing/lockstep.hpp>

namespace weir::cancellations {

using lockstep::Sync;
using Cancelled = Cancellation<Sync>;

/// Cancelled twice at once while a callback ends at any moment: it is called at most once, and is not
/// running or called any more once its destructor has returned.
inline void a_callback_that_ended_is_not_called() {
  Cancelled source;
  int calls = 0;
  bool running = false, over = false;
  auto callback = std::make_unique<Cancelled::Callback>(source, [&] {
    lockstep::require(!over, "it was called after its end");
    running = true;
    lockstep::point();
    lockstep::point();
    running = false;
    ++calls;
  });
  Sync::Thread one([&] { source.cancel(); });
  Sync::Thread two([&] { source.cancel(); });
  callback.reset();
  lockstep::require(!running, "it runs after its end");
  over = true;
  one.join();
  two.join();
  lockstep::require(calls <= 1, "it was called twice");
}

/// Made and cancelled at any moment: it is called once, by one of the two.
inline void a_callback_that_lives_is_called_once() {
  Cancelled source;
  int calls = 0;
  {
    Sync::Thread cancels([&] { source.cancel(); });
    const Cancelled::Callback first(source, [&] { ++calls; });
    const Cancelled::Callback second(source, [&] { calls += 10; });
    cancels.join();
  }
  lockstep::require(calls == 11, "one of two was not called once");
}

/// A callback ends itself and another one, which waits.
inline void a_callback_may_end_itself() {
  Cancelled source;
  int calls = 0;
  std::unique_ptr<Cancelled::Callback> callback;
  callback = std::make_unique<Cancelled::Callback>(source, [&] {
    ++calls;
    callback.reset();
  });
  Sync::Thread cancels([&] { source.cancel(); });
  cancels.join();
  lockstep::require(calls == 1 && !callback, "it was not called once");
}

}  // namespace weir::cancellations
