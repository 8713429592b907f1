#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <weir/supervisor/dynamic_supervisor.hpp>

#include "fake_children.hpp"

namespace weir {

using ManualDynamicSupervisor = BasicDynamicSupervisor<ManualSync>;

/// A child without work of its own that can be killed by whoever has its pointer.
class Worker final : public Child {
 public:
  struct Behaviour {
    bool ignores_stop = false;
    std::optional<Error> last_words = {};  ///< what it ends with when it is asked to stop
  };
  Worker(ChildEnd end, Behaviour behaviour)
      : end_(std::move(end)), behaviour_(std::move(behaviour)) {}

  void stop() override {
    if (behaviour_.ignores_stop) return;
    kill(behaviour_.last_words);
  }
  void kill(const std::optional<Error>& error) const {
    error ? end_.with(*error) : end_.normally();
  }

 private:
  ChildEnd end_;
  Behaviour behaviour_;
};

/// A worker, without an id.
inline ChildSpec worker(Restart restart = Restart::permanent,
                        Shutdown shutdown = Shutdown::after(std::chrono::seconds(5)),
                        const Worker::Behaviour& behaviour = {}) {
  return {.start = [behaviour](ChildEnd end) -> Result<std::shared_ptr<Child>> {
            return std::make_shared<Worker>(std::move(end), behaviour);
          },
          .restart = restart,
          .shutdown = shutdown};
}

/// A worker whose first start succeeds; all others do what `again` does.
inline ChildSpec worker_that_restarts_as(StartChild again, Restart restart = Restart::permanent) {
  ChildSpec spec = worker(restart);
  spec.start = [first = spec.start, again = std::move(again),
                started = std::make_shared<bool>(false)](const ChildEnd& end) {
    return std::exchange(*started, true) ? again(end) : first(end);
  };
  return spec;
}

inline Result<std::shared_ptr<Child>> start_fails(const ChildEnd&) {
  return std::unexpected(fault("found"));
}
inline Result<std::shared_ptr<Child>> start_is_ignored(const ChildEnd&) { return nothing_to_run(); }
inline Result<std::shared_ptr<Child>> start_returns_nothing(const ChildEnd&) {
  return std::shared_ptr<Child>();
}

template <class Sync = StdSync>
std::unique_ptr<BasicDynamicSupervisor<Sync>> started_dynamic(
    typename BasicDynamicSupervisor<Sync>::Options options) {
  // As in started().
  if (options.backoff.first == RestartBackoff().first) options.backoff.first = {};
  auto supervisor = BasicDynamicSupervisor<Sync>::start(std::move(options));
  if (!supervisor) throw std::runtime_error(to_string(supervisor.error()));
  return *std::move(supervisor);
}

template <class Sync>
void settle(BasicDynamicSupervisor<Sync>& supervisor) {
  static_cast<void>(supervisor.terminate_child(nullptr));
}

/// Ends the child's life, and returns when its supervisor has done what follows from it.
template <class Supervisor>
void kill(Supervisor& supervisor, const std::shared_ptr<Child>& child,
          const std::optional<Error>& error = fault()) {
  dynamic_cast<const Worker&>(*child).kill(error);
  settle(supervisor);
}

/// The child that was started, or the test fails by an exception.
template <class Supervisor>
std::shared_ptr<Child> start(Supervisor& supervisor, ChildSpec spec) {
  auto child = supervisor.start_child(std::move(spec));
  if (!child) throw std::runtime_error(to_string(child.error()));
  return *std::move(child);
}

/// Counts of workers alone.
inline ChildCounts workers(std::size_t all, std::size_t active) {
  return {.specs = all, .active = active, .supervisors = 0, .workers = all};
}

}  // namespace weir
