#include "registry/flow_registry.hpp"

#include <doctest/doctest.h>

#include "modules.hpp"

namespace weir {
namespace {

using Change = FlowRegistry::Change;

const std::string sha_a(64, 'a');
const std::string sha_b(64, 'b');

std::string error_text(const Error& error) {
  return std::string(name(error.code)) + " " + error.kind + ": " + to_string(error);
}

}  // namespace

TEST_SUITE("registry: flows") {
  TEST_CASE("G2: a flow is found by module and by slug and is the same one") {
    FlowRegistry registry;
    CHECK(registry.register_(module({})) == Change::added);
    const Result<FlowHandle> by_slug = registry.get(slug("a"));
    REQUIRE(by_slug);
    CHECK(by_slug == registry.get(module_name("shop.A")));
    CHECK(by_slug == registry.find("a"));
    CHECK(by_slug == registry.find("shop.A"));
    CHECK((*by_slug)->definition.slug() == slug("a"));
  }

  TEST_CASE("G2: an unknown name is not_found with the nearest there is") {
    FlowRegistry registry;
    CHECK(error_text(registry.get(slug("order_totals")).error()) ==
          "not_found unknown_flow: no flow has the slug \"order_totals\" (no flow is registered at "
          "all)");
    registry.register_or_throw(module({.module = "shop.OrderTotals", .slug = "order_totals"}));
    CHECK(error_text(registry.get(slug("order_total")).error()) ==
          "not_found unknown_flow: no flow has the slug \"order_total\" (did you mean "
          "\"order_totals\"?)");
    CHECK(error_text(registry.get(slug("Order_Totals")).error()) ==
          "not_found unknown_flow: no flow has the slug \"Order_Totals\" (did you mean "
          "\"order_totals\"?)");
    CHECK(error_text(registry.get(module_name("shop.OrderTotal")).error()) ==
          "not_found unknown_flow: no flow is registered as module \"shop.OrderTotal\" "
          "(did you mean \"shop.OrderTotals\"?)");
    CHECK(error_text(registry.find("shop.ordertotals").error()) ==
          "not_found unknown_flow: no flow has the slug or module name \"shop.ordertotals\" "
          "(did you mean \"shop.OrderTotals\"?)");
    CHECK(error_text(registry.find("").error()) ==
          "not_found unknown_flow: no flow has the slug or module name \"\"");
  }

  TEST_CASE("G2: a name that is one flow's slug and another's module finds the slug") {
    FlowRegistry registry;
    registry.register_or_throw(module({.module = "twin", .slug = "other"}));
    registry.register_or_throw(module({.module = "shop.B", .slug = "twin"}));
    CHECK((*registry.find("twin"))->definition.module() == module_name("shop.B"));
    CHECK((*registry.get(module_name("twin")))->definition.slug() == slug("other"));
  }

  TEST_CASE("G5: read looks at a flow without holding it and says whether there is one") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    std::string seen;
    const auto note = [&](const FlowModule& flow) { seen += flow.definition.slug().string(); };
    CHECK(registry.read(slug("a"), note));
    CHECK(registry.read(module_name("shop.A"), note));
    CHECK_FALSE(registry.read(slug("b"), note));
    CHECK(seen == "aa");
    CHECK(registry.size() == 1);
  }

  TEST_CASE("G2: thousands of flows are found by both keys while they come and go one by one") {
    FlowRegistry registry;  // so that its tables grow and shrink
    const auto spec = [](int i) {
      const std::string number = std::to_string(i);
      return ModuleSpec{.module = "shop.M" + number, .slug = "f" + number};
    };
    constexpr int most = 1'200;
    for (int i = 0; i < most; ++i) REQUIRE(registry.register_(module(spec(i))) == Change::added);
    CHECK(registry.size() == most);
    for (int i = 0; i < most; ++i) {
      const Result<FlowHandle> by_slug = registry.get(slug(spec(i).slug));
      REQUIRE(by_slug);
      REQUIRE(by_slug == registry.get(module_name(spec(i).module)));
    }
    for (int i = 0; i < most; i += i < most / 2 ? 1 : 2)
      REQUIRE(registry.unregister(module_name(spec(i).module)));
    CHECK(registry.size() == most / 4);
    for (int i = 0; i < most; ++i)
      REQUIRE(registry.get(slug(spec(i).slug)).has_value() == (i > most / 2 && i % 2 == 1));
  }

  TEST_CASE("G2: list gives all in the order of their slugs") {
    FlowRegistry registry;
    for (const char* each : {"m", "a", "Z", "_", "b2", "b10"})
      registry.register_or_throw(module({.module = std::string("shop.") + each, .slug = each}));
    CHECK(contents(registry) == "Z=shop.Z _=shop._ a=shop.a b10=shop.b10 b2=shop.b2 m=shop.m");
  }

  TEST_CASE("G2: unregister says whether there was anything and may be called again") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    CHECK(registry.unregister(module_name("shop.A")));
    CHECK_FALSE(registry.unregister(module_name("shop.A")));
    CHECK_FALSE(registry.get(slug("a")));
    CHECK_FALSE(registry.get(module_name("shop.A")));
    CHECK(registry.register_(module({})) == Change::added);
  }

  TEST_CASE("D7: the same definition from the same file is no change") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    const FlowHandle first = *registry.find("a");
    CHECK(registry.register_(module({})) == Change::unchanged);
    CHECK(registry.find("a") == first);
  }

  TEST_CASE("D7: another definition or another build from the same path takes its place") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    CHECK(registry.register_(module({.max_attempts = 4})) == Change::replaced);
    CHECK((*registry.find("a"))->definition.steps()[0].options.max_attempts == 4);
    CHECK(registry.register_(module({.sha256 = sha_b, .max_attempts = 4})) == Change::replaced);
    CHECK((*registry.find("shop.A"))->file.sha256 == sha_b);
  }

  TEST_CASE("D7: flows built into a program are told apart by their code") {
    FlowRegistry registry;
    const ModuleSpec built_in = {.path = "", .sha256 = ""};
    registry.register_or_throw(module(built_in));
    CHECK(registry.register_(module(built_in)) == Change::unchanged);
    weir_step other = *code_of_a_step();
    FlowModule changed = module(built_in);
    changed.steps = {&other};
    CHECK(registry.register_(std::move(changed)) == Change::replaced);
  }

  TEST_CASE("D1: slugs that differ in case alone collide") {
    FlowRegistry registry;
    registry.register_or_throw(module({.slug = "CaseFlow"}));
    CHECK(error_text(
              registry
                  .register_(module(
                      {.module = "shop.B", .slug = "caseflow", .path = "b.so", .sha256 = sha_b}))
                  .error()) ==
          "conflict duplicate_slug: slug \"caseflow\" of module \"shop.B\" (b.so, sha256 " + sha_b +
              ") is already taken as \"CaseFlow\" by module \"shop.A\" (plugins/a.so, sha256 " +
              sha_a +
              ") (remove one of the two, or give a flow another slug; slugs that differ in case "
              "alone count as the same)");
  }

  TEST_CASE("G4: a second module with a taken slug changes nothing and is told the holder") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    const Result<Change> second =
        registry.register_(module({.module = "shop.B", .path = "b.so", .sha256 = sha_b}));
    REQUIRE_FALSE(second);
    CHECK(error_text(second.error()) ==
          "conflict duplicate_slug: slug \"a\" of module \"shop.B\" (b.so, sha256 " + sha_b +
              ") is already taken by module \"shop.A\" (plugins/a.so, sha256 " + sha_a +
              ") (remove one of the two, or give a flow another slug; slugs that differ in case "
              "alone count as the same)");
    CHECK(contents(registry) == "a=shop.A");
    CHECK_FALSE(registry.get(module_name("shop.B")));
  }

  TEST_CASE("G4: the holder is told whichever of the two names comes first in the alphabet") {
    FlowRegistry registry;
    registry.register_or_throw(module({.module = "shop.M", .path = "m.so"}));
    for (const char* newcomer : {"shop.A", "shop.Z"})
      CHECK(registry.register_(module({.module = newcomer, .path = "n.so"}))
                .error()
                .message.ends_with("is already taken by module \"shop.M\" (m.so, sha256 " + sha_a +
                                   ")"));
  }

  TEST_CASE("G4: the same module from another file changes nothing and is told the holder") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    const Result<Change> second =
        registry.register_(module({.slug = "other", .path = "plugins/copy.so", .sha256 = sha_b}));
    REQUIRE_FALSE(second);
    CHECK(error_text(second.error()) ==
          "conflict duplicate_module: module \"shop.A\" (plugins/copy.so, sha256 " + sha_b +
              ") is already registered from another file: plugins/a.so, sha256 " + sha_a +
              " (remove one of the two, or rename a module)");
    CHECK(contents(registry) == "a=shop.A");
  }

  TEST_CASE("G4: a copy of a file under another name is a collision though the two are identical") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    CHECK(registry.register_(module({.path = "plugins/copy.so"})).error().kind ==
          "duplicate_module");
  }

  TEST_CASE("G4: a holder built into the program is told as such") {
    FlowRegistry registry;
    registry.register_or_throw(module({.path = "", .sha256 = ""}));
    CHECK(registry.register_(module({.path = "b.so", .sha256 = sha_b})).error().message ==
          "module \"shop.A\" (b.so, sha256 " + sha_b +
              ") is already registered from another file: built into this program");
  }

  TEST_CASE("G1: a module without code for each of its steps is refused") {
    FlowRegistry registry;
    FlowModule none = module({});
    none.steps = {};
    CHECK(error_text(registry.register_(std::move(none)).error()) ==
          "invalid_definition invalid_flow_module: module \"shop.A\" (plugins/a.so, sha256 " +
              sha_a +
              ") has code for 0 steps, and defines 1 "
              "(give each step of the definition its code, in the definition's order)");
    FlowModule null = module({});
    null.steps = {nullptr};
    CHECK(registry.register_(std::move(null))
              .error()
              .message.ends_with("has no code for step \"s\""));
    weir_step without_run = *code_of_a_step();
    without_run.run = nullptr;
    FlowModule no_run = module({});
    no_run.steps = {&without_run};
    CHECK(registry.register_(std::move(no_run))
              .error()
              .message.ends_with("has no code for step \"s\""));
    CHECK(contents(registry) == "");
  }

  TEST_CASE("G1: register_or_throw throws what register_ returns") {
    FlowRegistry registry;
    CHECK(registry.register_or_throw(module({})) == Change::added);
    const FlowModule second = module({.module = "shop.B", .path = "b.so"});
    const Error expected = registry.register_(second).error();
    try {
      registry.register_or_throw(second);
      FAIL("nothing was thrown");
    } catch (const RegistrationError& thrown) {
      CHECK(thrown.error() == expected);
      CHECK(std::string(thrown.what()) == to_string(expected));
    }
  }

  TEST_CASE(
      "G6: what a reader holds stays valid with its code while the flow is replaced and removed") {
    FlowRegistry registry;
    auto old_code = std::make_shared<int>(1);
    const std::weak_ptr<int> old_library = old_code;
    registry.register_or_throw(module({.code = std::move(old_code)}));
    FlowHandle held = *registry.find("a");
    FlowHandle copy = held;
    registry.register_or_throw(module({.max_attempts = 9}));
    registry.unregister(module_name("shop.A"));
    held = {};
    CHECK_FALSE(held);
    REQUIRE(copy);
    CHECK(copy->definition.steps()[0].options.max_attempts == 3);
    CHECK_FALSE(old_library.expired());
    copy = {};
    CHECK(old_library.expired());
  }

  TEST_CASE("G6: code nobody holds goes with the registration") {
    FlowRegistry registry;
    auto code = std::make_shared<int>(1);
    const std::weak_ptr<int> library = code;
    registry.register_or_throw(module({.code = std::move(code)}));
    CHECK_FALSE(library.expired());
    registry.unregister(module_name("shop.A"));
    CHECK(library.expired());
  }
}

// What PgFlow's registry, two tables written one after the other, gets wrong.
TEST_SUITE("registry: faults that cannot happen") {
  TEST_CASE("G3: half-visible registration: a flow is there under both keys or under neither") {
    FlowRegistry registry;
    const auto seen = [&] {  // in one section, so of one moment
      const FlowRegistry::Section section(registry);
      CHECK(section.flow(slug("a")) == section.flow(module_name("shop.A")));
      return section.flow(slug("a")) != nullptr;
    };
    CHECK_FALSE(seen());
    registry.register_or_throw(module({}));
    CHECK(seen());
    {
      const FlowRegistry::Section before(registry);
      registry.unregister(module_name("shop.A"));
      CHECK(before.flow(slug("a")) != nullptr);
      CHECK(before.flow(slug("a")) == before.flow(module_name("shop.A")));
    }
    CHECK_FALSE(seen());
  }

  TEST_CASE("G3: a stale slug does not outlive its module's registration under another slug") {
    FlowRegistry registry;
    registry.register_or_throw(module({.slug = "before"}));
    CHECK(registry.register_(module({.slug = "after"})) == Change::replaced);
    CHECK(contents(registry) == "after=shop.A");
    CHECK_FALSE(registry.get(slug("before")));
    CHECK(registry.register_(module({.module = "shop.B", .slug = "before"})) == Change::added);
  }

  TEST_CASE("G3: a module may change the case of its own slug") {
    FlowRegistry registry;
    registry.register_or_throw(module({.slug = "caseflow"}));
    CHECK(registry.register_(module({.slug = "CaseFlow"})) == Change::replaced);
    CHECK(contents(registry) == "CaseFlow=shop.A");
  }

  TEST_CASE("G4: two modules on one slug: the second is refused also when it had another") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    registry.register_or_throw(module({.module = "shop.B", .slug = "b", .path = "b.so"}));
    CHECK(registry.register_(module({.module = "shop.B", .slug = "a", .path = "b.so"}))
              .error()
              .kind == "duplicate_slug");
    CHECK(contents(registry) == "a=shop.A b=shop.B");
  }

  TEST_CASE("G4: unregistering one never removes the row of who has the slug it had or wanted") {
    FlowRegistry registry;
    registry.register_or_throw(module({.slug = "x"}));
    registry.register_or_throw(module({.slug = "y"}));
    registry.register_or_throw(module({.module = "shop.B", .slug = "x", .path = "b.so"}));
    CHECK_FALSE(registry.register_(module({.module = "shop.C", .slug = "x", .path = "c.so"})));
    CHECK_FALSE(registry.unregister(module_name("shop.C")));
    CHECK(registry.unregister(module_name("shop.A")));
    CHECK(contents(registry) == "x=shop.B");
  }
}

}  // namespace weir
