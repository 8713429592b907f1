#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include <weir/registry/shared_handles.hpp>
#include <weir/testing/lockstep.hpp>

/// What SharedHandles is put through under lockstep, and the planted copies of it too.
namespace weir::shared {

using lockstep::require;
using lockstep::Sync;

// What a scenario counts; its handles must not outlive it.
struct Tally {
  int starts = 0, inside = 0, living = 0, ends = 0;
};

struct Counted {
  explicit Counted(Tally& in) : tally(in) { ++tally.living; }
  ~Counted() {
    lockstep::point();  // it takes time to end
    --tally.living;
    ++tally.ends;
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  Tally& tally;
};

using Handles = SharedHandles<int, Counted, std::monostate, Sync>;
using Pointer = Handles::Pointer;

inline const Error broken{
    .code = ErrorCode::unavailable, .kind = "broken", .message = "it is broken"};

// A factory that others may overtake, and that notices another of its kind beside it.
inline auto making(Tally& tally, std::optional<Handles::Death>* death = nullptr) {
  return [&tally, death](const Handles::Starting& starting) -> Result<Pointer> {
    ++tally.starts;
    require(++tally.inside == 1, "two starts of one key at once");
    if (death != nullptr) *death = starting.death;
    lockstep::point();
    --tally.inside;
    return std::make_shared<Counted>(tally);
  };
}

inline bool has_kind(const Result<Pointer>& result, std::string_view kind) {
  return !result && result.error().kind == kind;
}

inline void callers_share_one_start() {
  Tally tally;
  Handles handles;
  Result<Pointer> first, second;
  Sync::Thread a([&] { first = handles.get_or_start(1, making(tally)); });
  Sync::Thread b([&] { second = handles.get_or_start(1, making(tally)); });
  const Pointer seen = handles.lookup(1);
  a.join();
  b.join();
  require(tally.starts == 1, "two starts of one key");
  require(first.has_value() && first == second, "two callers got two handles");
  require(!seen || seen == *first, "a lookup gave another handle");
  require(handles.lookup(1) == *first, "what was started is not found");
}

inline void a_stop_ends_the_start_it_met() {
  Tally tally;
  {
    Handles handles;
    Result<Pointer> got;
    bool stopped = false;
    Sync::Thread starts([&] { got = handles.get_or_start(1, making(tally)); });
    Sync::Thread stops([&] { stopped = handles.stop(1); });
    starts.join();
    stops.join();
    require(got.has_value() || (stopped && has_kind(got, "stopped")), "the start failed");
    require(stopped == (handles.lookup(1) == nullptr), "a stop did not stop what it met");
    got = {};
    require(tally.living == (stopped ? 0 : 1), "a stopped handle lives on");
    require(handles.get_or_start(1, making(tally)).has_value(), "no start after a stop");
    require(tally.starts == (stopped ? 2 : 1), "a stop reached a later start");
  }
  require(tally.living == 0 && tally.ends == tally.starts, "a handle had no end, or two");
}

inline void a_stopped_handle_ends_before_the_next_start() {
  Tally tally;
  Handles handles;
  const auto opening = [&](const Handles::Starting& starting) {
    require(tally.living == 0, "two are open at once");
    return making(tally)(starting);
  };
  Sync::Thread uses([used = *handles.get_or_start(1, opening)]() mutable {
    lockstep::point();
    used.reset();
  });
  Sync::Thread stops([&] { handles.stop(1); });
  require(handles.get_or_start(1, opening).has_value(), "no start after a stop");
  uses.join();
  stops.join();
}

inline void a_cancelled_wait_ends() {
  Tally tally;
  Handles handles;
  Cancellation<Sync> cancellation;
  Sync::Mutex mutex;
  Sync::Condition changed;
  bool left = false;
  Sync::Thread starts([&] {
    const auto got = handles.get_or_start(1, [&](const auto& starting) -> Result<Pointer> {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return left; });  // until the other one gave up
      return making(tally)(starting);
    });
    require(got.has_value(), "the start failed");
  });
  Sync::Thread cancels([&] { cancellation.cancel(); });
  const auto got =
      handles.get_or_start(1, std::monostate(), making(tally), {.cancellation = &cancellation});
  require(got.has_value() || has_kind(got, "cancelled"), "the wait ended some other way");
  {
    const std::scoped_lock lock(mutex);
    left = true;
  }
  changed.notify_all();
  cancels.join();
  starts.join();
}

inline void a_cycle_is_refused() {
  Tally tally_a, tally_b;
  Handles handles;
  int refused = 0;
  const auto wanting = [&](int other, Tally& tally, Tally& tally_other) {
    return [&, other](const Handles::Starting& starting) -> Result<Pointer> {
      const auto nested = handles.get_or_start(other, making(tally_other));
      if (!nested) {
        require(has_kind(nested, "would_deadlock"), "refused for another reason");
        ++refused;
      }
      return making(tally)(starting);
    };
  };
  Sync::Thread a([&] { (void)handles.get_or_start(1, wanting(2, tally_a, tally_b)); });
  Sync::Thread b([&] { (void)handles.get_or_start(2, wanting(1, tally_b, tally_a)); });
  a.join();
  b.join();
  require(refused <= 1, "both were refused");
  require(handles.count() == 2, "a start was lost");
}

}  // namespace weir::shared
