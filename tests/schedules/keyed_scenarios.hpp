/// Scenarios that a KeyedRegistry must survive, and copies of it with a mistake must not.
#pragma once
#include <weir/registry/keyed_registry.hpp>
#include <weir/testing/lockstep.hpp>

#include "schedules/keyed_model.hpp"

namespace weir::schedules {

using lockstep::Sync;

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

}  // namespace weir::schedules
