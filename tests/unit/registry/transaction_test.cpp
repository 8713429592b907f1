#include <vector>

#include <doctest/doctest.h>

#include "modules.hpp"

namespace weir {
namespace {

using Change = FlowRegistry::Change;
using Changes = std::vector<Change>;

const ModuleSpec a = {};
const ModuleSpec b = {.module = "shop.B", .slug = "b", .path = "plugins/b.so"};

ModuleSpec with_slug(ModuleSpec spec, std::string other) {
  spec.slug = std::move(other);
  return spec;
}

}  // namespace

TEST_SUITE("registry: transactions") {
  TEST_CASE("G3: nothing of a transaction is seen before its commit and all of it after") {
    FlowRegistry registry;
    registry.register_or_throw(module(a));
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.unregister(module_name("shop.A"));
    transaction.register_(module(b));
    CHECK(contents(registry) == "a=shop.A");
    CHECK(changes_of(transaction.commit()) == Changes{Change::removed, Change::added});
    CHECK(contents(registry) == "b=shop.B");
  }

  TEST_CASE("a transaction dropped without commit changes nothing") {
    FlowRegistry registry;
    {
      FlowRegistry::Transaction transaction = registry.begin();
      transaction.register_(module(a));
    }
    CHECK(contents(registry) == "");
  }

  TEST_CASE("G4: one collision in a transaction undoes all of it") {
    FlowRegistry registry;
    registry.register_or_throw(module(a));
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.register_(module(b));
    transaction.unregister(module_name("shop.A"));
    transaction.register_(module({.module = "shop.C", .slug = "B", .path = "c.so"}));
    CHECK(transaction.commit().error().kind == "duplicate_slug");
    CHECK(contents(registry) == "a=shop.A");
    CHECK(changes_of(transaction.commit()) == Changes{});
    CHECK(contents(registry) == "a=shop.A");
  }

  TEST_CASE("a transaction is judged against what others registered before its commit") {
    FlowRegistry registry;
    FlowRegistry::Transaction late = registry.begin();
    late.register_(module(with_slug(b, "a")));
    registry.register_or_throw(module(a));
    CHECK(late.commit().error().kind == "duplicate_slug");
    CHECK(contents(registry) == "a=shop.A");
  }

  TEST_CASE("of two transactions open at once neither loses what the other did") {
    FlowRegistry registry;
    FlowRegistry::Transaction first = registry.begin();
    FlowRegistry::Transaction second = registry.begin();
    first.register_(module(a));
    second.register_(module(b));
    CHECK(second.commit());
    CHECK(first.commit());
    CHECK(contents(registry) == "a=shop.A b=shop.B");
  }

  TEST_CASE("two modules may swap their slugs in one transaction and only there") {
    FlowRegistry registry;
    registry.register_or_throw(module(a));
    registry.register_or_throw(module(b));
    CHECK(registry.register_(module(with_slug(a, "b"))).error().kind == "duplicate_slug");
    FlowRegistry::Transaction swap = registry.begin();
    swap.register_(module(with_slug(a, "b")));
    swap.register_(module(with_slug(b, "a")));
    CHECK(changes_of(swap.commit()) == Changes{Change::replaced, Change::replaced});
    CHECK(contents(registry) == "a=shop.B b=shop.A");
  }

  TEST_CASE("a slug is free for another module in the transaction that gives it up") {
    FlowRegistry registry;
    registry.register_or_throw(module(a));
    FlowRegistry::Transaction rename = registry.begin();
    rename.register_(module(with_slug(b, "a")));
    rename.unregister(module_name("shop.A"));
    CHECK(changes_of(rename.commit()) == Changes{Change::added, Change::removed});
    CHECK(contents(registry) == "a=shop.B");
  }

  TEST_CASE("a transaction that changes nothing says so and keeps every handle current") {
    FlowRegistry registry;
    registry.register_or_throw(module(a));
    const std::vector<FlowHandle> before = registry.list();
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.register_(module(a));
    transaction.unregister(module_name("shop.B"));
    CHECK(changes_of(transaction.commit()) == Changes{Change::unchanged, Change::unchanged});
    CHECK(registry.list() == before);
  }

  TEST_CASE("the last of several changes to one module is what is registered") {
    FlowRegistry registry;
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.register_(module(a));
    transaction.register_(module(with_slug(a, "c")));
    transaction.unregister(module_name("shop.A"));
    transaction.register_(module(with_slug(a, "d")));
    CHECK(changes_of(transaction.commit()) ==
          Changes{Change::added, Change::replaced, Change::removed, Change::added});
    CHECK(contents(registry) == "d=shop.A");
  }
}

}  // namespace weir
