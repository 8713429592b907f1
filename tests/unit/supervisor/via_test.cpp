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
  Rooms::Owner& owner() { return owner_; }

 private:
  ChildEnd end_;
  Rooms::Owner owner_;
};

Result<std::shared_ptr<Child>> holds_its_owner(Rooms& rooms, const ChildEnd& end) {
  Rooms::Owner owner = rooms.owner("mine");
  if (auto taken = rooms.register_(owner, "hall", 1); !taken) return std::unexpected(taken.error());
  return std::make_shared<HoldsItsOwner>(end, std::move(owner));
}

// A child that has something until it is destroyed that only one can have.
class HoldsAPort final : public Child {
 public:
  HoldsAPort(ChildEnd end, std::shared_ptr<bool> taken)
      : end_(std::move(end)), taken_(std::move(taken)) {}
  ~HoldsAPort() override { *taken_ = false; }
  void stop() override { end_.normally(); }
  void die() const { end_.with(fault()); }

 private:
  ChildEnd end_;
  std::shared_ptr<bool> taken_;
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

  TEST_CASE("an owner among the members of a child ends with its life though the child is held") {
    Rooms rooms({.name = "rooms"});
    const auto supervisor = started<>(
        {.limit = {.max_restarts = 2}},
        {{.id = "a", .start = [&](const ChildEnd& end) { return holds_its_owner(rooms, end); }}});
    std::vector<std::shared_ptr<Child>> held;
    for (int life = 0; life < 2; ++life) {
      held.push_back(supervisor->children().at(0).child);
      dynamic_cast<HoldsItsOwner&>(*held.back()).die();
      settle(*supervisor);
      CHECK(states(*supervisor) == "a running");
      CHECK(rooms.count("hall") == 1);
    }
    held.push_back(supervisor->children().at(0).child);
    CHECK(supervisor->stop());
    CHECK(rooms.count() == 0);
    auto& last = dynamic_cast<HoldsItsOwner&>(*held.back());
    CHECK(rooms.register_(last.owner(), "hall", 2).error().kind == "owner_ended");
  }

  TEST_CASE(
      "owners that a start makes end with it if nothing runs then, and with who is abandoned") {
    Rooms rooms;
    Rooms::Owner kept;  // of no child
    const auto takes = [&](const StartChild& start) {
      return [&rooms, &kept, start](const ChildEnd& end) {
        kept = rooms.owner("kept");
        REQUIRE(rooms.register_(kept, "hall", 1));
        return start(end);
      };
    };
    const auto supervisor = started<>({}, {});
    CHECK_FALSE(supervisor->start_child({.id = "a", .start = takes(start_fails)}));
    CHECK(rooms.count() == 0);
    CHECK_FALSE(supervisor->start_child(
        {.id = "b", .start = takes([](const ChildEnd&) -> Result<std::shared_ptr<Child>> {
                      throw std::runtime_error("no");
                    })}));
    CHECK(rooms.count() == 0);
    CHECK(supervisor->start_child({.id = "c", .start = takes(start_is_ignored)}));
    CHECK(rooms.count() == 0);
    ChildSpec stays = worker(Restart::permanent, Shutdown::at_once(), {.ignores_stop = true});
    stays.id = "d";
    stays.start = takes(stays.start);
    CHECK(supervisor->start_child(stays));
    CHECK(rooms.count() == 1);
    CHECK(supervisor->terminate_child("d"));
    CHECK(rooms.count() == 0);
    kept = rooms.owner("of nobody");  // the scope is over
    CHECK(rooms.register_(kept, "hall", 1));
    CHECK(supervisor->stop());
    CHECK(rooms.count() == 1);
  }

  TEST_CASE("an owner that ended before its child and one whose registry is gone are forgotten") {
    auto rooms = std::make_unique<Rooms>();
    OwnerGroup group;
    Rooms::Owner ended, destroyed;
    {
      const OwnerScope scope(group);
      OwnerGroup inner;
      {
        const OwnerScope innermost(inner);
        destroyed = rooms->owner("inner");
      }
      REQUIRE(rooms->register_(destroyed, "inner", 1));
      inner.end();
      CHECK(rooms->count() == 0);
      destroyed = rooms->owner("destroyed");
      ended = rooms->owner("ended");
    }
    destroyed = {};
    ended.end();
    rooms.reset();
    group.end();
    CHECK(OwnerScope::group() == nullptr);
  }

  TEST_CASE("what a child that is held keeps from the next life is named as why it is given up") {
    const auto taken = std::make_shared<bool>(false);
    const auto supervisor = started<>(
        {.limit = {.max_restarts = 1}},
        {{.id = "a",
          .start = [&](const ChildEnd& end) -> Result<std::shared_ptr<Child>> {
            if (*taken)
              return std::unexpected(Error{
                  .code = ErrorCode::conflict, .kind = "taken", .message = "taken", .hint = "h"});
            *taken = true;
            return std::make_shared<HoldsAPort>(end, taken);
          },
          .name = "a"}});
    auto held = supervisor->whereis("a");
    dynamic_cast<HoldsAPort&>(*held).die();
    const Error error = supervisor->wait().error();
    CHECK(error.kind == "gave_up");
    CHECK(error.hint.ends_with(
        "; a caller still holds the object of its last life, with its members: give up in "
        "collect() and abandon() what they hold"));
    held.reset();
  }
}

}  // namespace weir
