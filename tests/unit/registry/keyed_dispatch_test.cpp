#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/keyed_registry.hpp>

namespace weir {
namespace {

using Topics = KeyedRegistry<std::string, int>;
using What = Topics::Change::What;

struct Notified {
  What what;
  std::string key;
  OwnerId owner;
  int value;
  friend bool operator==(const Notified&, const Notified&) = default;
};

}  // namespace

TEST_SUITE("keyed registry: dispatch") {
  TEST_CASE("a callback sees the entries of one moment while it registers and unregisters") {
    Topics registry({.keys = Keys::duplicate});
    auto owner = registry.owner("owner");
    for (const int value : {1, 2, 3}) CHECK(registry.register_(owner, "k", value));
    std::vector<int> seen;
    CHECK(registry.dispatch("k", [&](const Topics::View& view) {
      seen.push_back(view.value);
      registry.unregister(owner, "k");
      CHECK(registry.register_(owner, "k", 10 + view.value));
      CHECK(registry.register_(owner, "new", view.value));
    }) == 3);
    CHECK(seen == std::vector<int>{1, 2, 3});
    CHECK(registry.values(owner, "k") == std::vector<int>{13});
    CHECK(registry.count("new") == 3);
  }

  TEST_CASE("what a callback has before its eyes stays in memory though its owner ends meanwhile") {
    KeyedRegistry<std::string, std::shared_ptr<std::string>> registry;
    auto owner = registry.owner("owner", std::make_shared<std::string>("here"));
    CHECK(registry.register_(owner, "k"));
    std::weak_ptr<std::string> watched;
    CHECK(registry.dispatch("k", [&](const auto& view) {
      watched = view.value;
      owner = {};
      registry.sweep();
      CHECK(*view.value == "here");
    }) == 1);
    CHECK(watched.expired());
  }

  TEST_CASE("a callback that gets all entries at once chooses among them") {
    Topics registry({.keys = Keys::duplicate});
    std::vector<Topics::Owner> owners;
    for (const int load : {30, 10, 20}) {
      owners.push_back(registry.owner("worker"));
      CHECK(registry.register_(owners.back(), "workers", load));
    }
    std::vector<int> loads;
    OwnerId idle = 0;
    int last = 0;
    CHECK(registry.dispatch_entries("workers", [&](const Topics::Entries& all) {
      for (const Topics::View& each : all) loads.push_back(each.value);
      const auto lowest =
          std::ranges::min_element(all, {}, [](const Topics::View& each) { return each.value; });
      idle = (*lowest).owner;
      last = all[all.size() - 1].value;
    }) == 3);
    CHECK(loads == std::vector<int>{30, 10, 20});
    CHECK(idle == owners[1].id());
    CHECK(last == 20);
  }

  TEST_CASE("nothing is called for a key under which nobody stands") {
    Topics registry;
    CHECK(registry.dispatch_entries("k", [](const Topics::Entries&) { FAIL("called"); }) == 0);
    CHECK(registry.dispatch("k", [](const Topics::View&) { FAIL("called"); }) == 0);
    CHECK(registry.look("k", [](const Topics::View&) { FAIL("called"); }) == 0);
    CHECK(registry.each([](const std::string&, const Topics::View&) { FAIL("called"); }) == 0);
  }

  TEST_CASE("what a callback throws comes out of the dispatch and leaves nothing held") {
    KeyedRegistry<int, std::shared_ptr<int>> registry;
    const auto value = std::make_shared<int>(1);
    auto owner = registry.owner("owner", value);
    CHECK(registry.register_(owner, 1));
    CHECK_THROWS_AS(registry.dispatch(1, [](const auto&) { throw std::runtime_error("no"); }),
                    std::runtime_error);
    owner = {};
    CHECK(value.use_count() == 1);
  }

  TEST_CASE("each reaches every entry once with its partitions side by side or one by one") {
    Topics registry({.keys = Keys::duplicate, .partitions = 3});
    CHECK(registry.partitions() == 4);
    auto owner = registry.owner("owner");
    for (int i = 0; i < 100; ++i) CHECK(registry.register_(owner, std::to_string(i), i));
    for (const bool in_parallel : {false, true}) {
      std::atomic<int> sum = 0;
      CHECK(registry.each([&](const std::string&, const Topics::View& view) { sum += view.value; },
                          in_parallel) == 100);
      CHECK(sum == 4'950);
    }
  }
}

TEST_SUITE("keyed registry: listeners") {
  TEST_CASE("listeners hear of every change of a key in its order and of an owner's end") {
    std::vector<Notified> notified;
    Topics registry({.keys = Keys::duplicate}, {[&](const Topics::Change& change) {
                      notified.push_back({change.what, change.key, change.owner, change.value});
                    }});
    auto a = registry.owner("a");
    auto b = registry.owner("b");
    CHECK(registry.register_(a, "k", 1));
    CHECK(registry.register_(b, "k", 2));
    CHECK(registry.update_value(a, "k", [](int) { return 3; }));
    registry.unregister(b, "k");
    registry.unregister(b, "k");
    a.end();
    CHECK(notified == std::vector<Notified>{{What::registered, "k", 1, 1},
                                            {What::registered, "k", 2, 2},
                                            {What::unregistered, "k", 2, 2},
                                            {What::unregistered, "k", 1, 3}});
  }

  TEST_CASE("a listener may change the registry and hears of that after what it hears now") {
    std::vector<std::string> notified;
    Topics* registry = nullptr;
    Topics::Owner mirror;
    Topics made({},
                {[&](const Topics::Change& change) {
                   if (change.key != "a") return;
                   if (change.what == What::registered)
                     CHECK(registry->register_(mirror, "copy of a", change.value));
                   else
                     registry->unregister(mirror, "copy of a");
                 },
                 [&](const Topics::Change& change) {
                   notified.push_back((change.what == What::registered ? "+" : "-") + change.key);
                 }});
    registry = &made;
    mirror = made.owner("mirror");
    auto owner = made.owner("owner");
    CHECK(made.register_(owner, "a", 1));
    CHECK(made.count() == 2);
    owner.end();
    mirror = {};
    CHECK(made.count() == 0);
    CHECK(notified == std::vector<std::string>{"+a", "+copy of a", "-a", "-copy of a"});
  }

  TEST_CASE("a listener that comes later hears of what is changed from then on until it leaves") {
    std::vector<std::string> first;
    std::vector<std::string> later;
    const auto note = [](std::vector<std::string>& in) {
      return [&](const Topics::Change& change) {
        in.push_back((change.what == What::registered ? "+" : "-") + change.key);
      };
    };
    Topics registry({.keys = Keys::duplicate, .partitions = 4}, {note(first)});
    auto owner = registry.owner("owner");
    CHECK(registry.register_(owner, "a", 1));
    {
      const Topics::Subscription subscription = registry.listen(note(later));
      CHECK(registry.register_(owner, "b", 1));
      registry.unregister(owner, "a");
    }
    registry.unregister(owner, "b");
    CHECK(later == std::vector<std::string>{"+b", "-a"});
    CHECK(first == std::vector<std::string>{"+a", "+b", "-a", "-b"});
  }

  TEST_CASE("a listener that leaves is destroyed at once and may leave from within its call") {
    Topics registry;
    auto owner = registry.owner("owner");
    const auto kept = std::make_shared<int>(0);
    Topics::Subscription subscription = registry.listen([kept](const Topics::Change&) { ++*kept; });
    CHECK(registry.register_(owner, "a", 1));
    subscription.end();
    CHECK(kept.use_count() == 1);
    subscription = registry.listen([kept, &subscription](const Topics::Change&) {
      ++*kept;
      subscription.end();
      CHECK(kept.use_count() == 2);
    });
    registry.unregister(owner, "a");
    CHECK(kept.use_count() == 1);
    CHECK(registry.register_(owner, "a", 1));
    CHECK(*kept == 2);
  }

  TEST_CASE("a subscription may outlive its registry") {
    Topics::Subscription subscription;
    {
      Topics registry;
      subscription = registry.listen([](const Topics::Change&) {});
    }
    subscription.end();
  }

  TEST_CASE("nobody hears of what was refused") {
    int notified = 0;
    Topics registry({}, {[&](const Topics::Change&) { ++notified; }});
    auto a = registry.owner("a");
    auto b = registry.owner("b");
    CHECK(registry.register_(a, "k", 1));
    CHECK_FALSE(registry.register_(b, "k", 1));
    CHECK(notified == 1);
  }
}

}  // namespace weir
