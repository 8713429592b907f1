#include "worker/served_flows.hpp"

#include <doctest/doctest.h>

#include "plugin/quarantine.hpp"
#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

// A registry of flows of one step, each from a plugin file of its own.
struct Served : TestRegistry {
  TestFlow a{"a", {{"s", returns("1")}}}, b{"b", {{"s", returns("1")}}};
  TestFlow newer_a{"a", {{"s", returns("1")}, {"t", returns("1")}}};

  bool read() {
    const auto whole = flows.refresh(now + 100ms);
    REQUIRE(whole.has_value());
    return *whole;
  }
  std::string claimable() const {
    std::string text;
    for (const auto& [version, served] : flows.served(now))
      if (!served.barred) text += fmt::format("{}/{} ", version, served.plugin.value_or(0));
    return text;
  }
};

}  // namespace

TEST_SUITE("worker: served flows") {
  TEST_CASE("an empty registry is read without the database") {
    Served served;
    CHECK(served.read());
    CHECK(served.store.take_calls() == "");
    CHECK(served.flows.slugs().empty());
    CHECK(served.claimable() == "");
    CHECK(served.flows.find(1) == nullptr);
  }

  TEST_CASE("L4: a flow is registered once with its plugin and its limits") {
    Served served;
    served.options.limits["a"].max_running = 5;
    served.place(served.a, "aa");
    CHECK(served.read());
    CHECK(served.store.take_calls() ==
          "register_version a\nregister_plugin aa p.so\nset_limits a 5\n");
    REQUIRE(served.flows.find(1) != nullptr);
    CHECK(served.flows.find(1)->module->definition.slug().view() == "a");
    CHECK(served.flows.find(1)->plugin == 1);
    CHECK(served.claimable() == "1/1 ");
    CHECK(served.read());
    CHECK(served.store.take_calls() == "");
  }

  TEST_CASE("F1: a step with which every run begins at once is known") {
    const auto first_step = [](std::vector<TestFlow::Step> steps,
                               const FlowOverrides& overrides = {}) {
      const TestFlow flow("f", std::move(steps));
      Served served;
      served.options.overrides["f"] = overrides;
      served.place(flow, "aa");
      REQUIRE(served.read());
      return served.flows.served(served.now).at(1).first_step;
    };
    CHECK(first_step({{"s", returns("1")}}) == 0);
    CHECK(first_step({{"s", returns("1"), {}, "map"}}) == std::nullopt);
    CHECK(first_step({{"s", returns("1"), {}, "map"}, {"t", returns("1")}}) == std::nullopt);
    CHECK(first_step({{"s", returns("1")}, {"t", returns("1"), {}, "map"}}) == 0);
    CHECK(first_step({{"s", returns("1"), {}, "single", {.start_delay_ms = 1}}}) == std::nullopt);
    TestFlow::Step conditional{"s", returns("1")};
    conditional.unless = "1";
    CHECK(first_step({conditional}) == std::nullopt);
    CHECK(first_step({TestFlow::wait("w", {}, 1'000)}) == std::nullopt);
    FlowOverrides delayed;
    delayed.steps["s"].start_delay_ms = 5;
    CHECK(first_step({{"s", returns("1")}}, delayed) == std::nullopt);
    CHECK(first_step({{"s", returns("1")}, {"t", returns("1")}}, delayed) == 1);
    CHECK(first_step({{"s", returns("1")}, {"t", returns("1"), {"s"}}}, delayed) == std::nullopt);
  }

  TEST_CASE("flows that are built in have no plugin and those of one file share theirs") {
    Served served;
    served.place(served.a, "");
    CHECK(served.read());
    CHECK(served.store.take_calls() == "register_version a\nset_limits a 0\n");
    CHECK_FALSE(served.flows.find(1)->plugin.has_value());
    Served both;
    both.place(both.a, "aa");
    both.place(both.b, "aa");
    CHECK(both.read());
    CHECK(both.store.take_calls() ==
          "register_version b\nregister_plugin aa p.so\nset_limits b 0\n"
          "register_version a\nset_limits a 0\n");
  }

  TEST_CASE(
      "V2: a former version is registered before the newest which alone sets limits and adopts") {
    Served served;
    served.options.adopting = {"a"};
    served.place(served.a, "aa");
    served.place(served.newer_a, "bb");
    served.store.answers.adopt_older.next(std::vector<AdoptedVersion>{
        {.version = 1, .moved = 1, .held = 2}, {.version = 0, .refusal = "step t is new"}});
    CHECK(served.read());
    CHECK(served.store.take_calls() ==
          "register_version a\nregister_plugin aa p.so\n"
          "register_version a\nregister_plugin bb p.so\nset_limits a 0\nadopt_older 2\n");
    CHECK(served.lines.with_levels() ==
          "info: flow a: 1 open run of version 1 moved to the new one, 2 when a worker releases "
          "them\n"
          "warning: flow a: open runs of version 0 stay with it: step t is new\n");
    CHECK(served.flows.find(1)->module->definition.steps().size() == 1);
    CHECK(served.flows.find(2)->module->definition.steps().size() == 2);
    CHECK(served.flows.slugs() == std::vector<std::string>{"a"});
  }

  TEST_CASE("V5: a slug that its plugin has renamed is not offered for new runs") {
    Served served;
    served.options.limits["a"].max_running = 5;
    served.place(served.a, "aa");
    CHECK(served.read());
    CHECK(served.flows.served(served.now).at(1).offered);
    served.store.take_calls();
    FlowModule renamed = served.a.module();
    renamed.definition =
        FlowDefinition::build({.module = "test.a", .slug = "b", .steps = {{.slug = "s"}}}).value();
    renamed.file = {.path = "p.so", .sha256 = "bb"};
    auto transaction = served.registry.begin();
    transaction.succeed(std::move(renamed));
    REQUIRE(transaction.commit().has_value());
    CHECK(served.read());
    CHECK(served.flows.slugs() == std::vector<std::string>{"a", "b"});
    CHECK_FALSE(served.flows.served(served.now).at(1).offered);
    CHECK(served.flows.served(served.now).at(2).offered);
    served.flows.forget();  // as a former version it is entered without limits
    served.store.take_calls();
    CHECK(served.read());
    CHECK_FALSE(served.store.take_calls().contains("set_limits a"));
  }

  TEST_CASE("a flow that left the registry is served until the next refresh") {
    Served served;
    served.place(served.a, "aa");
    served.place(served.b, "bb");
    CHECK(served.read());
    CHECK(served.flows.slugs() == std::vector<std::string>{"a", "b"});
    const VersionId a = served.flows.find(1)->module->definition.slug().view() == "a" ? 1 : 2;
    CHECK(served.registry.unregister(served.a.module().definition.module()));
    CHECK(served.flows.find(a) != nullptr);
    served.store.take_calls();
    CHECK(served.read());
    CHECK(served.store.take_calls() == "");
    CHECK(served.flows.find(a) == nullptr);
    CHECK(served.flows.slugs() == std::vector<std::string>{"b"});
  }

  TEST_CASE("a flow that the database refuses is logged once and holds up no other") {
    Served served;
    served.place(served.a, "aa");
    served.place(served.b, "aa");
    served.store.answers.register_version.next(refused(ErrorCode::conflict, "B differs in case"));
    CHECK(served.read());
    CHECK(served.lines.with_levels() == "error: flow b is not served: B differs in case\n");
    CHECK(served.flows.slugs() == std::vector<std::string>{"a"});
    served.store.take_calls();
    CHECK(served.read());
    CHECK(served.store.take_calls() == "");
    served.flows.forget();  // another database may take it
    CHECK(served.flows.slugs().empty());
    CHECK(served.read());
    CHECK(served.flows.slugs() == std::vector<std::string>{"a", "b"});
    CHECK(served.store.take_calls() ==
          "register_version b\nregister_plugin aa p.so\nset_limits b 0\n"
          "register_version a\nset_limits a 0\n");
  }

  TEST_CASE("L6: when the database goes away the rest is registered by the next call") {
    for (const ErrorCode away : {ErrorCode::unavailable, ErrorCode::in_doubt}) {
      Served served;
      served.place(served.a, "aa");
      served.place(served.b, "bb");
      served.store.answers.register_version.next(0);
      served.store.answers.register_version.next(refused(away));
      const auto whole = served.flows.refresh(served.now + 100ms);
      REQUIRE_FALSE(whole.has_value());
      CHECK(whole.error().code == away);
      CHECK(served.flows.slugs() == std::vector<std::string>{"b"});
      CHECK(served.lines.text() == "");
      served.store.take_calls();
      CHECK(served.read());
      CHECK(served.store.take_calls() ==
            "register_version a\nregister_plugin aa p.so\nset_limits a 0\n");
    }
  }

  TEST_CASE("a failure after the version was registered leaves the flow to the next call") {
    Served served;
    served.place(served.a, "aa");
    served.store.answers.set_limits.next(refused(ErrorCode::unavailable));
    CHECK_FALSE(served.flows.refresh(served.now + 100ms).has_value());
    CHECK(served.flows.find(1) == nullptr);
    CHECK(served.read());
    CHECK(served.flows.find(1) != nullptr);
  }

  TEST_CASE("a refresh whose time is over says so and the next one continues") {
    Served served;
    served.place(served.a, "aa");
    const auto whole = served.flows.refresh(served.now);
    REQUIRE(whole.has_value());
    CHECK_FALSE(*whole);
    CHECK(served.store.take_calls() == "");
    CHECK(served.read());
    CHECK(served.flows.refresh(served.now) == true);  // there is nothing left that takes time
  }

  TEST_CASE("D3: the operator's overrides replace the options of the definition") {
    Served served;
    served.options.overrides["a"] = {.all = {.max_attempts = 7},
                                     .steps = {{"t", {.timeout_ms = 5}}}};
    served.place(served.newer_a, "aa");
    served.place(served.b, "aa");
    CHECK(served.read());
    const ServedFlows::Flow& b = *served.flows.find(1);
    const ServedFlows::Flow& a = *served.flows.find(2);
    REQUIRE(a.options.size() == 2);
    CHECK(a.options[0].max_attempts == 7);
    CHECK(a.options[0].timeout == 60s);
    CHECK(a.options[1].max_attempts == 7);
    CHECK(a.options[1].timeout == 5ms);
    CHECK(b.options == std::vector<StepOptions>{StepOptions{}});
  }

  TEST_CASE("F1: versions of a plugin in quarantine are served and cannot be claimed") {
    Served served;
    served.options.quarantine = std::make_shared<Quarantine>(
        Quarantine::Limit{.max_crashes = 0, .first = 30s, .longest = 30s});
    served.place(served.a, "aa");
    served.place(served.b, "bb");
    CHECK(served.read());
    CHECK(served.claimable() == "1/1 2/1 ");
    served.options.quarantine->crashed("bb", served.now);
    CHECK(served.claimable() == "2/1 ");
    CHECK(served.flows.find(1) != nullptr);
    served.now += 30s;
    CHECK(served.claimable() == "1/1 2/1 ");
  }
}
