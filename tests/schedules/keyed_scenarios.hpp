/// Scenarios that a KeyedRegistry must survive, and copies of it with a mistake must not.
#pragma once
#include <memory>
#include <vector>

#include <weir/registry/keyed_registry.hpp>
#include <weir/testing/lockstep.hpp>

#include "schedules/keyed_model.hpp"

namespace weir::schedules {

using lockstep::Sync;

/// With it three entries under a key are a large bucket, and five a tree of three levels.
struct FewAreMany : Sync {};

}  // namespace weir::schedules

template <>
struct weir::keyed::BucketSizes<weir::schedules::FewAreMany> {
  static constexpr std::uint32_t flat_max = 2;
  static constexpr std::uint32_t part_max = 2;
};

namespace weir::schedules {

template <class Registry>
void two_owners_want_one_key() {
  Registry registry;
  auto first = registry.owner("first");
  auto second = registry.owner("second");
  KeyedHistory history(registry);
  Sync::Thread a([&] { history.register_(first, 1, 10); });
  Sync::Thread b([&] { history.register_(second, 1, 20); });
  history.lookup(1);
  a.join();
  b.join();
  history.lookup(1);
  lockstep::require(registry.count(1) == 1, "not one holder of a unique key");
  history.require_linearizable(true);
}

template <class Registry>
void an_owner_ends_while_another_thread_registers_for_it() {
  Registry registry({.keys = Keys::duplicate});
  auto owner = registry.owner("owner");
  KeyedHistory history(registry);
  history.register_(owner, 1, 10);
  Sync::Thread registers([&] { history.register_(owner, 1, 11); });
  Sync::Thread reads([&] { history.lookup(1); });
  history.end(owner, 1);
  lockstep::require(registry.count(1) == 0, "a lookup finds an owner that has ended");
  registers.join();
  reads.join();
  history.lookup(1);
  lockstep::require(registry.count() == 0, "an owner that has ended stands somewhere");
  history.require_linearizable(false);
}

template <class Registry>
void listeners_are_notified_of_each_change_in_order() {
  int registered = 0;
  int notified = 0;
  Registry registry({}, {[&](const typename Registry::Change& change) {
                      const bool added = change.what == Registry::Change::What::registered;
                      lockstep::require(registered == (added ? 0 : 1),
                                        "a listener hears changes out of order");
                      registered = added ? 1 : 0;
                      lockstep::point();
                      ++notified;
                    }});
  const auto register_and_end = [&] {
    auto owner = registry.owner("owner");
    const bool succeeded = registry.register_(owner, 1, 1).has_value();
    owner.end();
    return succeeded ? 2 : 0;
  };
  int changes = 0;
  Sync::Thread other([&] { changes += register_and_end(); });
  changes += register_and_end();
  other.join();
  lockstep::require(notified == changes, "a listener missed a change");
}

/// Registry: of shared_ptr<int>.
template <class Registry>
void whichever_end_returns_the_entries_are_gone() {
  const auto value = std::make_shared<int>(1);
  int notified = 0;
  Registry registry({.keys = Keys::duplicate}, {[&](const auto&) { ++notified; }});
  auto owner = registry.owner("owner");
  for (const int key : {1, 2})
    lockstep::require(registry.register_(owner, key, value).has_value(), "refused");
  const auto end = [&] {
    owner.end();
    lockstep::require(registry.count() == 0 && value.use_count() == 1 && notified == 4,
                      "an end() returned before the entries were gone");
  };
  Sync::Thread other(end);
  end();
  other.join();
}

template <class Registry>
void one_thread_at_a_time_has_the_lock_of_a_key() {
  Registry registry;
  int holders = 0;
  int calls = 0;
  const auto take = [&] {
    registry.lock(1, [&] {
      lockstep::require(++holders == 1, "two threads have the lock of a key");
      lockstep::point();
      --holders;
      ++calls;
    });
  };
  Sync::Thread a(take);
  Sync::Thread b(take);
  take();
  a.join();
  b.join();
  lockstep::require(calls == 3, "a function was not called");
}

template <class Registry>
void a_dispatch_sees_many_entries_at_one_moment() {
  Registry registry({.keys = Keys::duplicate});
  auto owner = registry.owner("owner");
  auto other = registry.owner("other");
  const auto add = [&](auto& of, int value) {
    lockstep::require(registry.register_(of, 1, value).has_value(), "refused");
  };
  for (int i = 0; i < 3; ++i) {
    add(owner, 0);
    add(other, 100);
  }
  Sync::Thread updates([&] {
    const auto updated = registry.update_value(owner, 1, [](int value) { return value + 1; });
    lockstep::require(updated.has_value() && updated->size() == 3, "not updated");
  });
  Sync::Thread leaves([&] { registry.unregister(other, 1); });
  std::vector<int> own;
  const std::size_t seen = registry.dispatch(1, [&](const auto& view) {
    lockstep::point();
    if (view.owner == owner.id()) own.push_back(view.value);
  });
  lockstep::require(seen == 6 || seen == 3, "a dispatch sees a part of what an owner removed");
  lockstep::require(own.size() == 3 && own[0] == own[1] && own[1] == own[2],
                    "a dispatch sees entries of two moments");
  updates.join();
  leaves.join();
  lockstep::require(registry.count(1) == 3 && registry.values(owner, 1) == std::vector{1, 1, 1},
                    "not what was registered");
}

template <class Registry>
void a_listener_is_not_called_once_its_subscription_ended() {
  Registry registry;
  auto owner = registry.owner("owner");
  bool ended = false;
  Sync::Thread changes([&] {
    lockstep::require(registry.register_(owner, 1, 1).has_value(), "refused");
    registry.unregister(owner, 1);
  });
  {
    const auto subscription = registry.listen([&](const auto&) {
      lockstep::require(!ended, "a listener is called after the end of its subscription");
      lockstep::point();
      lockstep::require(!ended, "a call is in progress after the end of a subscription");
    });
  }
  ended = true;
  changes.join();
}

}  // namespace weir::schedules
