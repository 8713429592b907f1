#include <doctest/doctest.h>

#include <weir/supervisor/via.hpp>

#include "workers.hpp"

namespace weir {
namespace {

using Rooms = KeyedRegistry<std::string, int>;
using People = KeyedRegistry<std::string, std::weak_ptr<Child>>;

// A child that is registered by an owner among its members.
class HoldsItsOwner final : public Child {
 public:
  HoldsItsOwner(ChildEnd end, Rooms::Owner owner)
      : end_(std::move(end)), owner_(std::move(owner)) {}
  void stop() override { end_.normally(); }
  void die() const { end_.with(fault()); }

 private:
  ChildEnd end_;
  Rooms::Owner owner_;
};

ChildSpec in_hall(Rooms& rooms, std::string id = "a", ChildSpec spec = worker()) {
  spec.id = std::move(id);
  spec.via = via(rooms, "hall", 7);
  return spec;
}

}  // namespace

TEST_SUITE("supervisor: names in a registry") {
  TEST_CASE("a key is free for the restart although its last life is held") {
    Rooms rooms;
    const auto supervisor =
        started<>({.name = "shop", .limit = {.max_restarts = 1}}, {in_hall(rooms)});
    const auto held = supervisor->children().at(0).child;
    CHECK(rooms.values(rooms.via("hall").resolve()->owner, "hall") == std::vector<int>{7});
    kill(*supervisor, held);
    CHECK(states(*supervisor) == "a running");
    CHECK(rooms.count("hall") == 1);
    CHECK(supervisor->stop());
    CHECK(rooms.count() == 0);
  }

  TEST_CASE("a registry of children leads to the one that runs") {
    People people;
    ChildSpec spec = worker();
    spec.id = "a";
    spec.via = via(people, "alice");
    bool was_empty = false;
    spec.start = [&, start = spec.start](const ChildEnd& end) {
      was_empty = people.via("alice").resolve()->value.expired();
      return start(end);
    };
    const auto supervisor = started<>({}, {spec});
    CHECK(was_empty);
    const auto first = people.via("alice").resolve()->value.lock();
    CHECK(first == supervisor->children().at(0).child);
    kill(*supervisor, first);
    const auto second = people.via("alice").resolve()->value.lock();
    CHECK(second == supervisor->children().at(0).child);
    CHECK(second != first);
  }

  TEST_CASE("a key that is taken is refused and its holder is named") {
    Rooms rooms({.name = "rooms"});
    const auto one = started<>({.name = "one"}, {in_hall(rooms)});
    const auto two = Supervisor::start({.name = "two"}, {in_hall(rooms, "b")});
    REQUIRE_FALSE(two);
    CHECK(two.error().kind == "already_registered");
    CHECK(
        two.error().message.starts_with("child \"b\" of \"two\" did not start: rooms: key \"hall\" "
                                        "is held by owner 1 (\"one/a\")"));
  }

  TEST_CASE(
      "a key is given up by a start that fails or is ignored and by one that is left behind") {
    Rooms rooms;
    const auto supervisor = started<>({}, {});
    CHECK_FALSE(supervisor->start_child(in_hall(rooms, "a", {.start = start_fails})));
    CHECK(rooms.count() == 0);
    CHECK(supervisor->start_child(in_hall(rooms, "b", {.start = start_is_ignored})));
    CHECK(rooms.count() == 0);
    CHECK(supervisor->start_child(in_hall(
        rooms, "c", worker(Restart::permanent, Shutdown::at_once(), {.ignores_stop = true}))));
    CHECK(rooms.count() == 1);
    CHECK(supervisor->terminate_child("c"));
    CHECK(rooms.count() == 0);
  }

  TEST_CASE("a child has its name and its key or neither") {
    Rooms rooms;
    ChildSpec a = in_hall(rooms);
    a.name = "n";
    const auto supervisor = started<>({}, {a});
    ChildSpec b = in_hall(rooms, "b");
    b.name = "m";
    CHECK(supervisor->start_child(b).error().kind == "already_registered");
    b.via = nullptr;
    CHECK(supervisor->start_child(b));  // "m" was given up
  }

  TEST_CASE("many children stand under one key of a registry of duplicate keys") {
    Rooms rooms({.keys = Keys::duplicate});
    const auto pool = started_dynamic<>({});
    const ChildSpec spec = in_hall(rooms);
    for (int i = 0; i < 3; ++i) start(*pool, spec);
    CHECK(rooms.count("hall") == 3);
    CHECK(pool->stop());
    CHECK(rooms.count() == 0);
  }

  TEST_CASE("an owner among the members of a child that is held is named as why it is given up") {
    Rooms rooms({.name = "rooms"});
    const auto supervisor =
        started<ManualSync>({.limit = {.max_restarts = 1}},
                            {{.id = "a",
                              .start = [&](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
                                Rooms::Owner owner = rooms.owner("mine");
                                if (auto taken = rooms.register_(owner, "hall", 1); !taken)
                                  return std::unexpected(taken.error());
                                return std::make_shared<HoldsItsOwner>(end, std::move(owner));
                              },
                              .name = "a"}});
    auto held = supervisor->whereis("a");
    dynamic_cast<HoldsItsOwner&>(*held).die();
    const Error error = supervisor->wait().error();
    CHECK(error.kind == "gave_up");
    CHECK(error.hint.ends_with(
        "; a caller still holds the object of its last life, with its members: name it by "
        "ChildSpec::via, or give up in collect() and abandon() what they hold"));
    held.reset();
  }
}

}  // namespace weir
