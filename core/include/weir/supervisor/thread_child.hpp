/// A child that is a thread.
///
/// Threads: the body runs on a thread of its own, `on_stop` on the supervising thread.
///
/// Invariants:
/// - The child reports its end after its body returned and was destroyed: what the body held is
///   gone by then.
/// - The thread is joined when the child ended, and detached when it was abandoned; in neither case
///   does a thread wait for the body.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <weir/supervisor/child.hpp>
#include <weir/supervisor/stop_signal.hpp>
#include <weir/sync.hpp>

namespace weir {

/// Runs a body on a thread until the body returns; how it returns is how the child ends: normally,
/// or with the Error it returned or the exception it threw (internal, kind "exception"). The start
/// that makes it must return it: it must not be destroyed before its supervisor releases it.
template <class Sync = StdSync>
class BasicThreadChild final : public Child {
 public:
  using Signal = BasicStopSignal<Sync>;
  using Body = std::function<Result<void>(Signal)>;

  /// Throws what the thread's constructor throws. `on_stop` is called after the signal was given,
  /// for bodies that wait for something else; it must be quick.
  BasicThreadChild(ChildEnd end, Body body, std::function<void()> on_stop = {})
      : on_stop_(std::move(on_stop)),
        thread_([end = std::move(end), body = std::move(body), signal = stop_.signal()]() mutable {
          Result<void> result = outcome(body, std::move(signal));
          body = nullptr;
          end.with(std::move(result));
        }) {}

  void stop() override {
    stop_.request();
    if (on_stop_) on_stop_();
  }
  void collect() override {
    thread_.join();  // it reported its end: its body has returned
    on_stop_ = {};
  }
  void abandon() override { thread_.detach(); }

 private:
  static Result<void> outcome(const Body& body, Signal signal) {
    try {
      return body(std::move(signal));
    } catch (...) {
      return std::unexpected(supervisor::error_of_exception());
    }
  }

  BasicStopSource<Sync> stop_;
  std::function<void()> on_stop_;
  typename Sync::Thread thread_;  // last: it uses stop_ as soon as it exists
};

/// A child that runs `body(stop_signal)`, which returns nothing or a Result<void>, on a thread.
///
///     thread_child("sweeper", [&](StopSignal stop) { while (!stop.wait_for(1s)) sweep(); })
template <class Sync, class Body>
ChildSpec basic_thread_child(std::string id, Body body, Restart restart = Restart::permanent,
                             Shutdown shutdown = Shutdown::after(std::chrono::seconds(5))) {
  const auto start = [body = std::move(body)](ChildEnd end) -> Result<std::shared_ptr<Child>> {
    return std::make_shared<BasicThreadChild<Sync>>(
        std::move(end), [body](const BasicStopSignal<Sync>& signal) mutable -> Result<void> {
          if constexpr (std::is_void_v<decltype(body(signal))>) {
            body(signal);
            return {};
          } else {
            return body(signal);
          }
        });
  };
  ChildSpec spec{.id = {}, .start = start, .restart = restart, .shutdown = shutdown, .name = {}};
  spec.id = std::move(id);
  return spec;
}

template <class Body>
ChildSpec thread_child(std::string id, Body body, Restart restart = Restart::permanent,
                       Shutdown shutdown = Shutdown::after(std::chrono::seconds(5))) {
  return basic_thread_child<StdSync>(std::move(id), std::move(body), restart, shutdown);
}

using ThreadChild = BasicThreadChild<>;

}  // namespace weir
