#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>
#include <weir/testing/linearizability.hpp>

#include "schedules/keyed_model.hpp"
#include "schedules/keyed_scenarios.hpp"
#include "schedules/schedules.hpp"

namespace weir {
namespace {

using lockstep::Sync;
using schedules::KeyedHistory;
using Numbers = KeyedRegistry<int, int, Sync>;

/// All keys want the same place of the table.
struct SamePlace {
  std::uint64_t operator()(int) const noexcept { return 0; }
};

// A value that says when it is used after its end. Too large to lie in a bucket.
class Watched {
 public:
  explicit Watched(bool& destroyed) : destroyed_(&destroyed) {}
  Watched(Watched&& other) noexcept : destroyed_(std::exchange(other.destroyed_, nullptr)) {}
  ~Watched() {
    if (destroyed_ != nullptr) *destroyed_ = true;
  }
  bool is_destroyed() const { return *destroyed_; }

 private:
  bool* destroyed_;
  std::array<char, 64> much_{};
};

}  // namespace

TEST_SUITE("schedules: keyed registry") {
  TEST_CASE("keyed: of two owners who want one key one gets it and the other is told") {
    schedules::survive(schedules::two_owners_want_one_key<Numbers>);
  }

  TEST_CASE("keyed: once an owner has ended nothing of it is found whoever registered for it") {
    schedules::survive(schedules::an_owner_ends_while_another_thread_registers_for_it<Numbers>);
  }

  TEST_CASE("keyed: what a dispatch shows is alive whatever its owner does meanwhile") {
    schedules::survive([] {
      bool destroyed = false;
      {
        KeyedRegistry<int, Watched, Sync> registry;
        auto owner = registry.owner("owner");
        lockstep::require(registry.register_(owner, 1, Watched(destroyed)).has_value(), "refused");
        Sync::Thread leaves([&] {
          registry.unregister(owner, 1);
          registry.sweep();
        });
        registry.dispatch(1, [&](const auto& view) {
          lockstep::point();
          lockstep::require(!view.value.is_destroyed(), "a callback sees a destroyed value");
        });
        leaves.join();
        registry.sweep();
        lockstep::require(destroyed, "nobody looks and yet the value lives");
      }
    });
  }

  TEST_CASE("keyed: listeners hear of a key's changes in their order and of all of them") {
    schedules::survive(schedules::listeners_are_notified_of_each_change_in_order<Numbers>);
  }

  TEST_CASE("keyed: whichever end of an owner returns its entries are gone") {
    schedules::survive(schedules::whichever_end_returns_the_entries_are_gone<
                       KeyedRegistry<int, std::shared_ptr<int>, Sync>>);
  }

  TEST_CASE("keyed: a registry may go once an end of its last owner returned on any thread") {
    schedules::survive([] {
      std::optional<Numbers> registry(std::in_place);
      auto owner = registry->owner("owner");
      lockstep::require(registry->register_(owner, 1, 1).has_value(), "refused");
      const auto end = [&] {
        owner.end();
        registry.reset();
      };
      Sync::Thread other(end);
      end();
      other.join();
    });
  }

  TEST_CASE("keyed: an owner is destroyed while another thread ends it") {
    schedules::survive([] {
      Numbers registry;
      std::optional<Numbers::Owner> owner(registry.owner("owner"));
      lockstep::require(registry.register_(*owner, 1, 1).has_value(), "refused");
      Sync::Mutex mutex;
      Sync::Condition changed;
      bool begun = false;
      bool told = false;
      const auto subscription = registry.listen([&](const auto&) {
        {
          const std::scoped_lock lock(mutex);
          begun = true;
        }
        changed.notify_all();
        lockstep::point();
        told = true;
      });
      Sync::Thread ends([&, &ended = *owner] { ended.end(); });
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return begun; });
      }
      owner.reset();
      lockstep::require(told && registry.count() == 0, "destroyed before its entries were gone");
      ends.join();
    });
  }

  TEST_CASE("keyed: owners that end each other in a listener do not wait for each other") {
    schedules::survive([] {
      std::optional<Numbers::Owner> first;
      std::optional<Numbers::Owner> second;
      Numbers registry({}, {[&](const Numbers::Change& change) {
                         if (change.what == Numbers::Change::What::registered) return;
                         (change.key == 1 ? second : first)->end();
                       }});
      first.emplace(registry.owner("first"));
      second.emplace(registry.owner("second"));
      lockstep::require(registry.register_(*first, 1, 1).has_value(), "refused");
      lockstep::require(registry.register_(*second, 2, 1).has_value(), "refused");
      Sync::Thread other([&] { second->end(); });
      first->end();
      other.join();
      lockstep::require(registry.count() == 0, "an owner that has ended stands somewhere");
    });
  }

  TEST_CASE("keyed: the lock of a key has one thread at a time") {
    schedules::survive(schedules::one_thread_at_a_time_has_the_lock_of_a_key<Numbers>);
  }

  TEST_CASE("keyed: whoever holds the lock of a key waits for nobody who wants another") {
    schedules::survive([] {
      Numbers registry;
      int calls = 0;
      registry.lock(1, [&] {
        Sync::Thread other([&] { registry.lock(2, [&] { ++calls; }); });
        other.join();
      });
      lockstep::require(calls == 1, "a function was not called");
    });
  }

  TEST_CASE("keyed: a listener is not called once its subscription ended") {
    schedules::survive(schedules::a_listener_is_not_called_once_its_subscription_ended<Numbers>);
  }

  TEST_CASE("keyed: a listener that comes later hears of all that is committed from then on") {
    schedules::survive([] {
      Numbers registry;
      auto owner = registry.owner("owner");
      std::vector<int> heard;
      Sync::Thread changes([&] {
        lockstep::require(registry.register_(owner, 1, 1).has_value(), "refused");
        registry.unregister(owner, 1);
      });
      const auto subscription =
          registry.listen([&](const auto& change) { heard.push_back(change.key); });
      lockstep::require(registry.register_(owner, 2, 1).has_value(), "refused");
      changes.join();
      registry.unregister(owner, 2);
      lockstep::require(std::ranges::count(heard, 2) == 2, "a change was missed");
      lockstep::require(std::ranges::count(heard, 1) <= 2, "a change was told twice");
    });
  }

  TEST_CASE("keyed: an update counts on the value that stood or finds that nothing does") {
    schedules::survive([] {
      Numbers registry;
      auto owner = registry.owner("owner");
      KeyedHistory history(registry);
      history.register_(owner, 1, 10);
      Sync::Thread updates([&] { history.update(owner, 1, 1); });
      Sync::Thread leaves([&] { history.unregister(owner, 1); });
      history.update(owner, 1, 100);
      updates.join();
      leaves.join();
      history.lookup(1);
      history.require_linearizable(true);
    });
  }

  TEST_CASE("keyed: unregister_match takes out what its predicate judged or judges again") {
    schedules::survive([] {
      Numbers registry({.keys = Keys::duplicate});
      auto owner = registry.owner("owner");
      auto other = registry.owner("other");
      KeyedHistory history(registry);
      history.register_(owner, 1, 10);
      Sync::Thread updates([&] { history.update(owner, 1, 1); });
      Sync::Thread comes([&] { history.register_(other, 1, 10); });
      history.unregister_even(owner, 1);
      updates.join();
      comes.join();
      history.lookup(1);
      history.require_linearizable(false);
    });
  }

  TEST_CASE("keyed: a key is found while others come and go in the places before it") {
    schedules::survive([] {
      KeyedRegistry<int, int, Sync, SamePlace> registry;
      auto owner = registry.owner("owner");
      for (const int key : {1, 2})
        lockstep::require(registry.register_(owner, key, key).has_value(), "refused");
      Sync::Thread changes([&] {
        registry.unregister(owner, 1);
        lockstep::require(registry.register_(owner, 3, 3).has_value(), "refused");
      });
      lockstep::require(registry.count(2) == 1, "a key that stands all the while is not found");
      changes.join();
      lockstep::require(registry.count(1) == 0 && registry.count(2) == 1 && registry.count(3) == 1,
                        "not what was registered");
    });
  }

  TEST_CASE("keyed: a key is found while the table grows") {
    schedules::survive([] {
      Numbers registry;
      auto owner = registry.owner("owner");
      for (int key = 0; key < 4; ++key)
        lockstep::require(registry.register_(owner, key, key).has_value(), "refused");
      Sync::Thread grows([&] {
        lockstep::require(registry.register_(owner, 4, 4).has_value(), "refused");
        registry.unregister(owner, 0);
      });
      lockstep::require(registry.count(3) == 1, "a key that stands all the while is not found");
      grows.join();
      lockstep::require(registry.count() == 4 && registry.count(0) == 0 && registry.count(4) == 1,
                        "not what was registered");
    });
  }

  TEST_CASE("keyed: a dispatch sees many entries at one moment") {
    schedules::survive(schedules::a_dispatch_sees_many_entries_at_one_moment<
                       KeyedRegistry<int, int, schedules::FewAreMany>>);
  }

  TEST_CASE("keyed: what a dispatch of many entries shows is alive whoever of them leaves") {
    schedules::survive([] {
      std::array<bool, 4> destroyed{};
      KeyedRegistry<int, Watched, schedules::FewAreMany> registry({.keys = Keys::duplicate});
      auto owner = registry.owner("owner");
      auto other = registry.owner("other");
      for (std::size_t i = 0; i < destroyed.size(); ++i)
        lockstep::require(
            registry.register_(i % 2 == 0 ? owner : other, 1, Watched(destroyed[i])).has_value(),
            "refused");
      Sync::Thread leaves([&] { owner.end(); });
      registry.dispatch(1, [&](const auto& view) {
        lockstep::point();
        lockstep::require(!view.value.is_destroyed(), "a callback sees a destroyed value");
      });
      leaves.join();
      registry.sweep();
      lockstep::require(destroyed[0] && !destroyed[1] && destroyed[2] && !destroyed[3],
                        "not the values of the owner that ended");
    });
  }

  TEST_CASE("keyed: changes of many entries under one key take effect one after the other") {
    schedules::survive([] {
      KeyedRegistry<int, int, schedules::FewAreMany> registry({.keys = Keys::duplicate});
      auto owner = registry.owner("owner");
      auto other = registry.owner("other");
      KeyedHistory history(registry);
      for (const int value : {10, 11, 12}) history.register_(owner, 1, value);
      history.register_(other, 1, 20);
      Sync::Thread comes([&] { history.register_(other, 1, 21); });
      Sync::Thread leaves([&] { history.unregister_even(owner, 1); });
      history.lookup(1);
      comes.join();
      leaves.join();
      history.lookup(1);
      history.require_linearizable(false);
    });
  }

  TEST_CASE("keyed: a name leads to who holds it or to nobody and never to one who has gone") {
    schedules::survive([] {
      Numbers registry;
      const auto name = registry.via(1);
      Sync::Thread takes_over([&] {
        auto first = registry.owner("first");
        lockstep::require(registry.register_(first, 1, 10).has_value(), "refused");
        first.end();
        const auto found = name.resolve();
        lockstep::require(!found && found.error().kind == "no_owner", "it leads to one who ended");
      });
      if (const auto found = name.resolve())
        lockstep::require(found->value == 10, "a name leads to another's value");
      takes_over.join();
    });
  }
}

}  // namespace weir
