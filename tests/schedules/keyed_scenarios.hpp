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
  Sync::Thread a([&] { history.enter(first, 1, 10); });
  Sync::Thread b([&] { history.enter(second, 1, 20); });
  history.look(1);
  a.join();
  b.join();
  history.look(1);
  lockstep::require(registry.count(1) == 1, "not one holder of a unique key");
  history.require_linearizable(true);
}

template <class Registry>
void an_owner_ends_while_another_thread_registers_for_it() {
  Registry registry({.keys = Keys::duplicate});
  auto owner = registry.owner("owner");
  KeyedHistory history(registry);
  history.enter(owner, 1, 10);
  Sync::Thread registers([&] { history.enter(owner, 1, 11); });
  Sync::Thread looks([&] { history.look(1); });
  history.end(owner, 1);
  lockstep::require(registry.count(1) == 0, "a lookup finds an owner that has ended");
  registers.join();
  looks.join();
  history.look(1);
  lockstep::require(registry.count() == 0, "an owner that has ended stands somewhere");
  history.require_linearizable(false);
}

template <class Registry>
void listeners_hear_of_each_change_in_turn() {
  int standing = 0;
  int heard = 0;
  Registry registry({}, {[&](const typename Registry::Change& change) {
                      const bool up = change.what == Registry::Change::What::registered;
                      lockstep::require(standing == (up ? 0 : 1),
                                        "a listener hears changes out of order");
                      standing = up ? 1 : 0;
                      lockstep::point();
                      ++heard;
                    }});
  const auto come_and_go = [&] {
    auto owner = registry.owner("owner");
    const bool entered = registry.register_(owner, 1, 1).has_value();
    owner.end();
    return entered ? 2 : 0;
  };
  int changes = 0;
  Sync::Thread other([&] { changes += come_and_go(); });
  changes += come_and_go();
  other.join();
  lockstep::require(heard == changes, "a listener missed a change");
}

}  // namespace weir::schedules
