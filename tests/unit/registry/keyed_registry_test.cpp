#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

#include "support/seeds.hpp"

namespace weir {
namespace {

using Names = KeyedRegistry<std::string, int>;
using Entries = std::vector<Names::Entry>;

Names names() { return Names({.name = "names"}); }
Names topics(std::size_t partitions = 1) {
  return Names({.keys = Keys::duplicate, .partitions = partitions, .name = "topics"});
}

}  // namespace

TEST_SUITE("keyed registry: keys") {
  TEST_CASE("a unique key goes to who comes first and the second is told by name who that is") {
    Names registry = names();
    Names::Owner first = registry.owner("worker 1");
    Names::Owner second = registry.owner("worker 2");
    CHECK(registry.register_(first, "inbox", 1));
    const auto refused = registry.register_(second, "inbox", 2);
    CHECK(refused.error() ==
          RegisterError{
              {.code = ErrorCode::conflict,
               .kind = "already_registered",
               .message = R"(names: key "inbox" is held by owner 1 ("worker 1"))",
               .hint = "wait until that owner gives it up or ends, or register under another key"},
              first.id(),
              "worker 1"});
    const Result<void> as_any_error = refused;
    CHECK(as_any_error.error().kind == "already_registered");
    CHECK(registry.values(refused.error().holder, "inbox") == std::vector<int>{1});
    CHECK(registry.register_(first, "inbox", 3).error().kind == "already_registered");
    CHECK(registry.lookup("inbox") == Entries{{first.id(), 1}});
    CHECK(registry.count() == 1);
  }

  TEST_CASE("a unique key is free again once its owner gave it up") {
    Names registry = names();
    Names::Owner first = registry.owner("first");
    Names::Owner second = registry.owner("second");
    CHECK(registry.register_(first, "a", 1));
    CHECK(registry.unregister(first, "a") == 1);
    CHECK(registry.lookup("a").empty());
    CHECK(registry.register_(second, "a", 2));
    CHECK(registry.unregister(first, "a") == 0);
    CHECK(registry.lookup("a") == Entries{{second.id(), 2}});
  }

  TEST_CASE("under a duplicate key stand many and one owner as often as it likes in that order") {
    Names registry = topics();
    Names::Owner a = registry.owner("a");
    Names::Owner b = registry.owner("b");
    CHECK(registry.register_(a, "news", 1));
    CHECK(registry.register_(b, "news", 2));
    CHECK(registry.register_(a, "news", 3));
    CHECK(registry.lookup("news") == Entries{{a.id(), 1}, {b.id(), 2}, {a.id(), 3}});
    CHECK(registry.values(a, "news") == std::vector<int>{1, 3});
    CHECK(registry.keys(a) == std::vector<std::string>{"news", "news"});
    CHECK(registry.count("news") == 3);
    CHECK(registry.unregister(a, "news") == 2);
    CHECK(registry.lookup("news") == Entries{{b.id(), 2}});
    CHECK(registry.keys(a).empty());
  }

  TEST_CASE("unregister_match takes out only the entries of its owner that fulfil the predicate") {
    Names registry = topics();
    Names::Owner a = registry.owner("a");
    Names::Owner b = registry.owner("b");
    for (const int value : {1, 2, 3, 4}) CHECK(registry.register_(a, "k", value));
    CHECK(registry.register_(b, "k", 2));
    const auto even = [](int value) { return value % 2 == 0; };
    CHECK(registry.unregister_match(a, "k", even) == 2);
    CHECK(registry.unregister_match(a, "k", even) == 0);
    CHECK(registry.unregister_match(a, "absent", even) == 0);
    CHECK(registry.lookup("k") == Entries{{a.id(), 1}, {a.id(), 3}, {b.id(), 2}});
    CHECK(registry.keys(a).size() == 2);
  }

  TEST_CASE("a predicate that changes what it judges is asked again until what it judged stands") {
    Names registry = topics();
    Names::Owner a = registry.owner("a");
    CHECK(registry.register_(a, "k", 1));
    int calls = 0;
    CHECK(registry.unregister_match(a, "k", [&](int) {
      if (++calls == 1) CHECK(registry.register_(a, "k", 2));
      return true;
    }) == 2);
    CHECK(calls == 3);
    CHECK(registry.count() == 0);
  }

  TEST_CASE("update_value is for the owner alone and tells who does not stand there") {
    Names registry = names();
    Names::Owner holder = registry.owner("holder");
    Names::Owner other = registry.owner("other");
    CHECK(registry.register_(holder, "hits", 1));
    const auto updated = registry.update_value(holder, "hits", [](int value) { return value + 1; });
    REQUIRE(updated.value().size() == 1);
    CHECK(updated->front().old_value() == 1);
    CHECK(updated->front().new_value() == 2);
    CHECK(registry.lookup("hits") == Entries{{holder.id(), 2}});
    const auto refused = registry.update_value(other, "hits", [](int) { return 0; });
    CHECK(
        refused.error() ==
        Error{.code = ErrorCode::not_found,
              .kind = "not_registered",
              .message = R"(names: owner "other" has no entry under key "hits")",
              .hint = "register it first: only an owner with an entry there can change its value"});
    CHECK(registry.lookup("hits") == Entries{{holder.id(), 2}});
  }

  TEST_CASE(
      "update_value changes all the entries of an owner under a duplicate key and no others") {
    Names registry = topics();
    Names::Owner a = registry.owner("a");
    Names::Owner b = registry.owner("b");
    CHECK(registry.register_(a, "k", 1));
    CHECK(registry.register_(b, "k", 2));
    CHECK(registry.register_(a, "k", 3));
    const auto updated = registry.update_value(a, "k", [](int value) { return 10 * value; });
    REQUIRE(updated.value().size() == 2);
    CHECK(updated->front().old_value() == 1);
    CHECK(updated->back().old_value() == 3);
    CHECK(updated->back().new_value() == 30);
    CHECK(registry.lookup("k") == Entries{{a.id(), 10}, {b.id(), 2}, {a.id(), 30}});
  }

  TEST_CASE("an update whose function lets others in first works on what they left") {
    Names registry = names();
    Names::Owner owner = registry.owner("owner");
    CHECK(registry.register_(owner, "k", 1));
    int calls = 0;
    CHECK(registry.update_value(owner, "k", [&](int value) {
      if (++calls == 1) CHECK(registry.update_value(owner, "k", [](int) { return 7; }));
      return value + 1;
    }));
    CHECK(calls == 2);
    CHECK(registry.lookup("k") == Entries{{owner.id(), 8}});
  }

  TEST_CASE("select and match and count_match give what fulfils their predicates") {
    Names registry = topics(4);
    Names::Owner a = registry.owner("a");
    Names::Owner b = registry.owner("b");
    for (int i = 0; i < 20; ++i)
      CHECK(registry.register_(i % 2 == 0 ? a : b, "key " + std::to_string(i), i));
    CHECK(registry.register_(a, "key 0", 100));
    CHECK(registry.count() == 21);
    CHECK(registry.match("key 0", [](const Names::View& view) { return view.value > 50; }) ==
          Entries{{a.id(), 100}});
    CHECK(registry.count_match("key 0", [](const Names::View& view) { return view.value < 50; }) ==
          1);
    const auto found = registry.select([&](const std::string& key, const Names::View& view) {
      return key != "key 1" && view.owner == b.id() && view.value < 6;
    });
    std::map<std::string, int> values;
    for (const Names::Standing& each : found) values.emplace(each.key, each.value);
    CHECK(values == std::map<std::string, int>{{"key 3", 3}, {"key 5", 5}});
    const auto of_b = [&](const std::string&, const Names::View& view) {
      return view.owner == b.id() && view.value < 6;
    };
    CHECK(registry.count_select(of_b) == 3);
    auto keys = registry.select(of_b, [](const std::string& key, const auto&) { return key; });
    std::ranges::sort(keys);
    CHECK(keys == std::vector<std::string>{"key 1", "key 3", "key 5"});
  }

  TEST_CASE("a value that is large or cannot be copied lies behind a pointer and works alike") {
    struct Mailbox {
      std::unique_ptr<int> letter;
      std::string text;
    };
    KeyedRegistry<int, Mailbox> registry({.name = "boxes"});
    auto owner = registry.owner("owner");
    CHECK(registry.register_(owner, 7, {std::make_unique<int>(3), "hello"}));
    const auto updated = registry.update_value(owner, 7, [](const Mailbox& box) {
      return Mailbox{std::make_unique<int>(*box.letter + 1), box.text + "!"};
    });
    CHECK(updated.value().front().old_value().text == "hello");
    std::string seen;
    CHECK(registry.dispatch(7, [&](const auto& view) {
      seen = view.value.text + std::to_string(*view.value.letter);
    }) == 1);
    CHECK(seen == "hello!4");
    CHECK(registry.register_(owner, 7, {}).error().message ==
          R"(boxes: key 7 is held by owner 1 ("owner"))");
  }

  TEST_CASE("random calls from one thread answer what a multimap would") {
    testing::for_seeds(20, [](std::mt19937_64& random) {
      const bool unique = random() % 2 == 0;
      Names registry({.keys = unique ? Keys::unique : Keys::duplicate,
                      .partitions = 1 + random() % 5,
                      .name = "random"});
      std::vector<Names::Owner> owners;
      for (int i = 0; i < 3; ++i) owners.push_back(registry.owner(std::to_string(i)));
      std::map<std::string, Entries> model;
      const std::size_t keys = 1 + random() % 200;
      for (int step = 0; step < 2'000; ++step) {
        Names::Owner& owner = owners[random() % owners.size()];
        const std::string key = std::to_string(random() % keys);
        Entries& entries = model[key];
        const auto own = [&](const Names::Entry& each) { return each.owner == owner.id(); };
        switch (random() % 6) {
          case 0:
          case 1: {
            const bool free = !unique || entries.empty();
            CHECK(registry.register_(owner, key, step).has_value() == free);
            if (free) entries.push_back({owner.id(), step});
            break;
          }
          case 2:
            CHECK(registry.unregister(owner, key) == std::erase_if(entries, own));
            break;
          case 3:
            CHECK(registry.unregister_match(owner, key, [](int value) { return value % 3 == 0; }) ==
                  std::erase_if(
                      entries, [&](const auto& each) { return own(each) && each.value % 3 == 0; }));
            break;
          case 4: {
            std::size_t changed = 0;
            for (Names::Entry& each : entries)
              if (own(each)) {
                each.value += 1;
                ++changed;
              }
            const auto updated = registry.update_value(owner, key, [](int v) { return v + 1; });
            CHECK((updated ? updated->size() : 0) == changed);
            break;
          }
          default:
            if (random() % 20 != 0) break;
            for (auto& [name, all] : model) std::erase_if(all, own);
            owner = registry.owner("next");
        }
        CHECK(registry.lookup(key) == model[key]);
      }
      std::size_t all = 0;
      for (const auto& [key, entries] : model) {
        CHECK(registry.lookup(key) == entries);
        all += entries.size();
      }
      CHECK(registry.count() == all);
      CHECK(registry.each([](const std::string&, const Names::View&) {}) == all);
    });
  }
}

TEST_SUITE("keyed registry: metadata") {
  TEST_CASE("metadata is what was put last under its name and only as its own type") {
    Names registry = names();
    registry.put_meta("limit", 5);
    registry.put_meta("limit", 6);
    registry.put_meta("note", std::string("kept"));
    CHECK(registry.meta<int>("limit") == 6);
    registry.delete_meta("limit");
    CHECK(registry.meta<int>("limit").error() ==
          Error{.code = ErrorCode::not_found,
                .kind = "no_meta",
                .message = R"(names: there is no metadata "limit")",
                .hint = "store it with put_meta() first"});
    CHECK(registry.meta<std::string>("note") == "kept");
  }

  TEST_CASE("metadata of another type is told from metadata that is absent") {
    Names registry = names();
    registry.put_meta("limit", 5);
    CHECK(registry.meta<unsigned>("limit").error() ==
          Error{.code = ErrorCode::invalid_input,
                .kind = "other_type",
                .message = R"(names: metadata "limit" is of type int, not unsigned int)",
                .hint = "ask for the type that was stored; text is stored as std::string"});
    CHECK(registry.meta<int>("limits").error().kind == "no_meta");
  }

  TEST_CASE("text is metadata of type string whatever it was given as") {
    Names registry = names();
    constexpr std::string_view view = "a view";
    const char* const pointer = "a pointer";
    registry.put_meta("literal", "a literal");
    registry.put_meta("view", view);
    registry.put_meta("pointer", pointer);
    CHECK(registry.meta<std::string>("literal") == "a literal");
    CHECK(registry.meta<std::string>("view") == "a view");
    CHECK(registry.meta<std::string>("pointer") == "a pointer");
  }
}

TEST_SUITE("keyed registry: memory") {
  TEST_CASE("keys that have no entries any more leave nothing behind") {
    static int alive = 0;
    struct Counted {
      Counted() { ++alive; }
      Counted(const Counted&) noexcept { ++alive; }
      Counted& operator=(const Counted&) = default;
      ~Counted() { --alive; }
      std::array<char, 64> much{};
    };
    KeyedRegistry<std::string, Counted> registry({.keys = Keys::duplicate});
    auto owner = registry.owner("owner");
    for (int i = 0; i < 10'000; ++i) {
      const std::string key = "a key that is too long to lie in the string " + std::to_string(i);
      CHECK(registry.register_(owner, key, {}));
      CHECK(registry.unregister(owner, key) == 1);
    }
    CHECK(registry.waiting() < 2 * Epochs<>::batch);
    registry.sweep();
    CHECK(alive == 0);
    CHECK(registry.waiting() == 0);
  }

  TEST_CASE("the values of an owner end with it when nobody looks at them") {
    const auto value = std::make_shared<int>(1);
    KeyedRegistry<int, std::shared_ptr<int>> registry({.keys = Keys::duplicate});
    auto owner = registry.owner("owner");
    CHECK(registry.register_(owner, 1, value));
    CHECK(registry.register_(owner, 2, value));
    CHECK(value.use_count() == 3);
    owner.end();
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("what still stands when the registry has to go cannot be: its owners end first") {
    const auto value = std::make_shared<int>(1);
    {
      KeyedRegistry<int, std::shared_ptr<int>> registry;
      auto owner = registry.owner("owner");
      CHECK(registry.register_(owner, 1, value));
    }
    CHECK(value.use_count() == 1);
  }
}

}  // namespace weir
