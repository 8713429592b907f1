/// Scenarios of children that come and go, of names, of significant children and of tasks: what the
/// supervisor must survive, and copies of it with a mistake must not.
#pragma once
#include <weir/supervisor/dynamic_supervisor.hpp>
#include <weir/supervisor/task.hpp>
#include <weir/supervisor/via.hpp>

#include "schedules/supervisor_scenarios.hpp"

namespace weir::supervised {

using DynamicSupervisor = BasicDynamicSupervisor<Sync>;

inline std::unique_ptr<DynamicSupervisor> started_dynamic(DynamicSupervisor::Options options) {
  if (options.backoff.first == RestartBackoff().first) options.backoff.first = {};  // as started()
  auto supervisor = DynamicSupervisor::start(std::move(options));
  lockstep::require(supervisor.has_value(), "the supervisor did not start");
  return *std::move(supervisor);
}

inline void settle(DynamicSupervisor& supervisor) {
  static_cast<void>(supervisor.terminate_child(nullptr));
}

/// A child that ends when the scenario says so, and not because it was asked to.
class LateChild final : public Child {
 public:
  struct State {
    std::optional<ChildEnd> end{};
    bool ended = false;
    bool collected = false;

    void report() {
      ended = true;
      end->normally();
    }
  };
  explicit LateChild(State& state) : state_(state) {}
  void stop() override {}
  void collect() override {
    lockstep::require(state_.ended, "it was collected before its end");
    state_.collected = true;
  }

  static ChildSpec spec(State& state) {
    return {.start = [&state](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
              state.end = end;
              return std::make_shared<LateChild>(state);
            },
            .restart = Restart::temporary,
            .shutdown = Shutdown::forever()};
  }

 private:
  State& state_;
};

/// A child with a name and a key of a registry dies while a caller looks for it and holds it.
inline void names_are_free_for_the_restart() {
  FakeChildren fakes;
  KeyedRegistry<int, int, Sync> keys;
  ChildSpec spec = fakes.child("a");
  spec.via = via(keys, 1, 10);
  const auto supervisor = started({}, {spec});
  Sync::Thread death([end = fakes.first_end("a")] { end.with(fault()); });
  const auto held = supervisor->whereis("a");
  lockstep::require(keys.count(1) <= 1, "two lives have one key");
  death.join();
  settle(*supervisor);
  lockstep::require(supervisor->children()[0].deaths == 1, "its last life kept its names");
  lockstep::require(keys.count(1) == 1, "it has lost its key");
  lockstep::require(supervisor->whereis("a") != nullptr, "it has lost its name");
  lockstep::require(supervisor->stop().has_value(), "a stop is no giving up");
  lockstep::require(keys.count() == 0, "its key outlives it");
}

/// A child that has an owner among its members dies while a caller holds it, and lets it go.
inline void owners_end_with_the_life_that_made_them() {
  using Keys = KeyedRegistry<int, int, Sync>;
  struct Holder final : Child {
    Holder(ChildEnd ends, Keys::Owner own) : end(std::move(ends)), owner(std::move(own)) {}
    void stop() override { end.normally(); }
    ChildEnd end;
    Keys::Owner owner;
  };
  Keys keys;
  const auto supervisor =
      started({}, {{.id = "a",
                    .start = [&keys](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
                      Keys::Owner owner = keys.owner("a");
                      if (auto taken = keys.register_(owner, 1, 10); !taken)
                        return std::unexpected(taken.error());
                      return std::make_shared<Holder>(end, std::move(owner));
                    },
                    .name = "a"}});
  auto held = supervisor->whereis("a");
  dynamic_cast<const Holder&>(*held).end.with(fault());
  Sync::Thread lets_go([held = std::move(held)]() mutable { held.reset(); });
  settle(*supervisor);
  lets_go.join();
  lockstep::require(supervisor->children()[0].deaths == 1, "its last life kept its key");
  lockstep::require(keys.count(1) == 1, "it has lost its key");
  lockstep::require(supervisor->stop().has_value(), "a stop is no giving up");
  lockstep::require(keys.count() == 0, "its key outlives it");
}

/// A name is wanted by another supervisor while its holder stops.
inline void a_name_is_held_until_its_child_has_ended() {
  FakeChildren fakes;
  LateChild::State late;
  const auto names = std::make_shared<BasicChildNames<Sync>>();
  const auto first = started_dynamic({.names = names});
  const auto second = started_dynamic({.names = names});
  ChildSpec spec = LateChild::spec(late);
  spec.name = "k";
  lockstep::require(first->start_child(spec).has_value(), "it did not start");
  Sync::Thread end([&] { late.report(); });
  first->request_stop();
  const auto other = second->start_child(fakes.child("k"));
  lockstep::require(!other || late.ended, "two living children have one name");
  lockstep::require(other || other.error().kind == "name_taken", "refused otherwise");
  end.join();
}

/// Two children are asked to stop at once and end in any order.
inline void all_that_stop_at_once_are_awaited() {
  LateChild::State a;
  LateChild::State b;
  const auto pool = started_dynamic({});
  lockstep::require(pool->start_child(LateChild::spec(a)).has_value(), "it did not start");
  lockstep::require(pool->start_child(LateChild::spec(b)).has_value(), "it did not start");
  Sync::Thread ends([&] { a.report(); });
  Sync::Thread ends_too([&] { b.report(); });
  lockstep::require(pool->stop().has_value(), "a stop is no giving up");
  lockstep::require(a.collected && b.collected, "one was not awaited");
  ends.join();
  ends_too.join();
}

/// A child is started while the only one there may be dies and waits for its restart.
inline void a_child_that_waits_for_its_restart_keeps_its_place() {
  FakeChildren fakes;
  const auto pool = started_dynamic({.backoff = {.first = 1ms}, .max_children = 1});
  lockstep::require(pool->start_child(fakes.child("a")).has_value(), "it did not start");
  Sync::Thread death([end = fakes.first_end("a")] { end.with(fault()); });
  const auto one_more = pool->start_child(fakes.child("b"));
  lockstep::require(!one_more && one_more.error().kind == "max_children",
                    "there are more children than may be");
  death.join();
}

/// Of two significant children one dies and is restarted, and the other ends for good.
inline void a_significant_child_that_is_restarted_keeps_its_supervisor() {
  FakeChildren fakes;
  const auto significant = [&](const std::string& id) {
    ChildSpec spec = fakes.child(id, Restart::transient);
    spec.significant = true;
    return spec;
  };
  const auto supervisor =
      started({.auto_shutdown = AutoShutdown::all_significant, .backoff = {.first = 1ms}},
              {significant("a"), significant("b")});
  Sync::Thread dies([end = fakes.first_end("a")] { end.with(fault()); });
  Sync::Thread ends([end = fakes.first_end("b")] { end.normally(); });
  dies.join();
  ends.join();
  settle(*supervisor);
  sleep(2ms);
  settle(*supervisor);  // it may have been woken by this call, which then comes first
  settle(*supervisor);
  lockstep::require(fakes.starts["a"] == 2, "it was shut down in place of a restart");
}

/// Says whether a thread waits, which the supervising thread does not while it starts a child: then
/// it is a caller, whose call is queued.
struct CountingSync : Sync {
  static inline int waiting = 0;

  struct Condition : Sync::Condition {
    template <class Lock, class Predicate>
    void wait(Lock& lock, Predicate predicate) {
      ++waiting;
      Sync::Condition::wait(lock, std::move(predicate));
      --waiting;
    }
  };
};

/// A child dies and all its restarts but the last one fail, and a call comes at any time.
inline void a_call_does_not_wait_for_restarts_that_fail() {
  constexpr int fails = 4;
  FakeChildren fakes;
  int restarts = 0, waited_for = 0;
  CountingSync::waiting = 0;
  ChildSpec spec = fakes.child("a");
  spec.start = [&, begin = spec.start](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
    if (restarts++ % (fails + 1) == 0) return begin(end);
    sleep(1ms);
    waited_for += CountingSync::waiting;
    return std::unexpected(fault());
  };
  const auto supervisor = BasicSupervisor<CountingSync>::start(
      {.limit = {.max_restarts = fails + 1, .max_seconds = 1h}, .backoff = {.first = {}}},
      {std::move(spec)});
  lockstep::require(supervisor.has_value(), "the supervisor did not start");
  Sync::Thread death([end = fakes.first_end("a")] { end.with(fault()); });
  lockstep::require((*supervisor)->terminate_child("a").has_value(), "it was refused");
  lockstep::require(waited_for <= 1, "it waited for more than one restart");
  death.join();
}

/// One place, and a task that follows another as soon as that was awaited.
inline void a_task_that_was_awaited_leaves_its_place() {
  const auto pool = started_dynamic({.max_children = 1});
  const auto one = [](const BasicStopSignal<Sync>&) { return 1; };
  auto first = async(*pool, one);
  lockstep::require(first && first->await() == 1, "its value is lost");
  lockstep::require(async(*pool, one).has_value(), "its place is not free");
}

}  // namespace weir::supervised
