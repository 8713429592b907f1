#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/supervisor.hpp>
#include <weir/supervisor/supervisor_child.hpp>
#include <weir/testing/lockstep.hpp>

namespace weir::supervised {

using namespace std::chrono_literals;
using lockstep::Sync;
using Supervisor = BasicSupervisor<Sync>;

inline Error fault() {
  return {.code = ErrorCode::unavailable, .kind = "fault", .message = "broke"};
}

/// Children whose whole work is to be counted. Supervising threads alone change it.
class FakeChildren {
 public:
  int running = 0;
  std::map<std::string, int> starts{};
  std::vector<std::string> stops{};

  ChildSpec child(const std::string& id, Restart restart = Restart::permanent) {
    return {.id = id,
            .start = [this, id](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
              ++starts[id];
              ++running;
              first_ends_.try_emplace(id, end);
              return std::make_shared<FakeChild>(*this, id, end);
            },
            .restart = restart,
            .name = id};
  }

  /// The end of the child's first life.
  const ChildEnd& first_end(const std::string& id) const { return first_ends_.at(id); }

 private:
  class FakeChild final : public Child {
   public:
    FakeChild(FakeChildren& fakes, std::string id, ChildEnd end)
        : all_(fakes), id_(std::move(id)), end_(std::move(end)) {}
    void stop() override {
      all_.stops.push_back(id_);
      end_.normally();
    }
    void collect() override { --all_.running; }

   private:
    FakeChildren& all_;
    std::string id_;
    ChildEnd end_;
  };

  std::map<std::string, ChildEnd> first_ends_;
};

inline std::unique_ptr<Supervisor> started(Supervisor::Options options,
                                           std::vector<ChildSpec> children) {
  // Restarts wait for nothing unless a scenario says for how long.
  if (options.backoff.first == RestartBackoff().first) options.backoff.first = {};
  auto supervisor = Supervisor::start(std::move(options), std::move(children));
  lockstep::require(supervisor.has_value(), "the supervisor did not start");
  return *std::move(supervisor);
}

/// Returns when all deaths that were reported before have been dealt with, and restarts with them.
inline void settle(Supervisor& supervisor) {
  static_cast<void>(supervisor.terminate_child("nobody"));
}

/// Virtual time passes.
inline void sleep(Sync::Clock::duration time) {
  Sync::Mutex mutex;
  Sync::Condition never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, time, [] { return false; });
}

/// One restart a second is allowed: a second death at the border is one too many, one just after it
/// is not.
inline void restarts_are_counted_to_the_border() {
  FakeChildren fakes;
  std::optional<ChildEnd> last;
  ChildSpec spec = fakes.child("a");
  spec.start = [&last, start = spec.start](const ChildEnd& end) {
    last = end;
    return start(end);
  };
  const auto supervisor = started(
      {.limit = {.max_restarts = 1, .max_seconds = std::chrono::seconds(1)}}, {std::move(spec)});
  const auto die = [&] {
    Sync::Thread death([end = *last] { end.with(fault()); });
    death.join();
    settle(*supervisor);
  };
  die();
  sleep(1s + 1ns);
  die();
  lockstep::require(fakes.starts["a"] == 3, "a restart that is too old still counts");
  sleep(1s);
  die();
  lockstep::require(fakes.starts["a"] == 3, "it was restarted more often than is allowed");
  lockstep::require(!supervisor->wait(), "the supervisor did not give up");
}

/// An observer takes a lock, as a log does, while the lock's holder looks at the children.
inline void an_observer_takes_a_lock() {
  FakeChildren fakes;
  Sync::Mutex log;
  const auto supervisor =
      started({.observer = [&](const SupervisorEvent&) { const std::scoped_lock lock(log); }},
              {fakes.child("a")});
  Sync::Thread reader([&] {
    const std::scoped_lock lock(log);
    lockstep::require(supervisor->children().size() == 1, "a child is missing");
  });
  fakes.first_end("a").with(fault());
  reader.join();
}

}  // namespace weir::supervised
