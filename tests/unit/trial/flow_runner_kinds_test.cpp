#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <weir/flow.hpp>
#include <weir/testing/flow_runner.hpp>

#include "unit/trial/refusal.hpp"

using namespace std::chrono_literals;
using weir::testing::FinishedRun;
using weir::testing::FlowRunner;
using weir::testing::refusal;

namespace {

struct Claim {
  int amount;
};
WEIR_JSON(Claim, amount)

struct Checked {
  int amount;
  bool large;
};
WEIR_JSON(Checked, amount, large)

struct Verdict {
  bool granted;
};
WEIR_JSON(Verdict, granted)

struct Decided {
  Checked check;
  std::optional<weir::Waited<Verdict>> ask;
};
WEIR_JSON(Decided, check, ask)

struct Charge {
  Checked check;
};
WEIR_JSON(Charge, check)

Checked check(weir::Context&, Claim claim) {
  if (claim.amount < 0) throw weir::permanent("negative", "below zero");
  return {claim.amount, claim.amount > 100};
}
std::string decide(weir::Context&, const Decided& in) {
  if (!in.ask) return "small";
  if (!in.ask->signalled) return "nobody answered";
  return in.ask->payload->granted ? "granted" : "refused";
}
int pay(weir::Context& context, const Checked& checked) {
  if (checked.amount == 13) throw weir::permanent("unlucky", "the bank declined");
  if (context.attempt() == 1) throw weir::retry_after(10s, "busy");
  return checked.amount;
}
boost::json::value last(weir::Context&, boost::json::value in) { return in; }
int unlucky(weir::Context&) { throw weir::permanent("unlucky", "no luck"); }
int one(weir::Context&) { return 1; }
int depth(weir::Context&, boost::json::value in) { return static_cast<int>(in.as_int64()) - 1; }

// clang-format off
WEIR_FLOW(claim, "trial.Claim",
          step<check>("check"),
          wait("ask", 48h).after("check").signal("answer").only_if(R"({"check": {"large": true}})"),
          step<decide>("decide").after("check", "ask"),
          flow("payment").runs("payment_run").over("check").when_exhausted(skip),
          step<last>("last").after("decide", "payment"))
WEIR_FLOW(payment_run, "trial.Payment", step<pay>("pay"))
WEIR_FLOW(outer, "trial.Outer", flow("elsewhere").runs("not_here"))
WEIR_FLOW(skips, "trial.Skips",
          step<unlucky>("a").when_exhausted(skip_cascade),
          step<one>("b").after("a"),
          step<one>("c").unless("{}"))
WEIR_FLOW(countdown, "trial.Countdown",
          step<depth>("left"),
          flow("again").runs("countdown").over("left").unless(R"({"left": 0})"))
// clang-format on

struct Identity {
  static constexpr std::string_view name = "kinds";
  static constexpr std::string_view version = "";
};
using Parts = weir::sdk::Plugin<Identity, weir_flow_claim, weir_flow_payment_run, weir_flow_outer,
                                weir_flow_skips, weir_flow_countdown>;
constinit const auto note = Parts::note();
constinit const weir_plugin plugin = Parts::symbol(note);

FlowRunner claims() { return FlowRunner(plugin, "claim"); }

}  // namespace

TEST_SUITE("trial: waits, flow steps and conditions") {
  TEST_CASE("D4: a wait without a signal ends when its time is over and takes it in virtual time") {
    FlowRunner runner = claims();
    const FinishedRun run = runner.run(R"({"amount":500})");
    REQUIRE(run.completed());
    CHECK(run.attempts("decide").at(0).output == R"("nobody answered")");
    CHECK(run.attempts("ask").at(0).output == R"({"signalled":false})");
    CHECK(run.elapsed() == 48h);
  }

  TEST_CASE("C4: a signal that is sent before its wait begins ends it") {
    FlowRunner runner = claims();
    runner.signal("answer", R"({"granted":true})");
    FinishedRun run = runner.run(R"({"amount":500})");
    CHECK(run.attempts("decide").at(0).output == R"("granted")");
    CHECK(run.elapsed() == 10s);  // the payment's retry
    run = runner.run(R"({"amount":500})");
    CHECK(run.attempts("decide").at(0).output == R"("nobody answered")");
  }

  TEST_CASE("C4: a signal may come while the run goes on or too late") {
    FlowRunner runner = claims();
    runner.signal("answer", R"({"granted":false})", 2h);
    FinishedRun run = runner.run(R"({"amount":500})");
    CHECK(run.attempts("decide").at(0).output == R"("refused")");
    CHECK(run.attempts("decide").at(0).began == 2h);
    runner.signal("answer", R"({"granted":true})", 49h);
    run = runner.run(R"({"amount":500})");
    CHECK(run.attempts("decide").at(0).output == R"("nobody answered")");
    runner.mock("check", [&](std::string_view) {
      runner.signal("answer", R"({"granted":true})", 1min);
      return R"({"amount":500,"large":true})";
    });
    run = runner.run(R"({"amount":500})");
    CHECK(run.attempts("decide").at(0).output == R"("granted")");
    CHECK(run.attempts("decide").at(0).began == 1min);
  }

  TEST_CASE("D4: a wait's own timeout can be set") {
    FlowRunner runner = claims();
    runner.timeout("ask", 5min);
    CHECK(runner.run(R"({"amount":500})").elapsed() == 5min);
  }

  TEST_CASE("F7: an unmet condition skips the step and says why") {
    FlowRunner runner = claims();
    const FinishedRun run = runner.run(R"({"amount":50})");
    CHECK(run.skipped("ask") == "condition_unmet");
    CHECK(run.skipped("decide").empty());
    CHECK(run.attempts("ask").empty());
    CHECK(run.attempts("decide").at(0).output == R"("small")");
  }

  TEST_CASE("C8: a flow step runs the flow of the same plugin and ends with it") {
    FlowRunner runner = claims();
    const FinishedRun run = runner.run(R"({"amount":50})");
    CHECK(run.attempts("payment").at(0).input == R"({"amount":50,"large":false})");
    CHECK(run.attempts("payment").at(0).output == R"({"pay":50})");
    REQUIRE(run.children().size() == 1);
    CHECK(run.children()[0].flow() == "payment_run");
    CHECK(run.children()[0].attempts("pay").size() == 2);
    CHECK(run.elapsed() == 10s);
  }

  TEST_CASE("C8: a child that fails is the step's failure") {
    FlowRunner runner = claims();
    const FinishedRun run = runner.run(R"({"amount":13})");
    CHECK(run.completed());
    CHECK(run.skipped("payment") == "handler_failed");
    const auto tried = run.attempts("payment");
    REQUIRE(tried.size() == 1);
    CHECK(tried[0].outcome == "failed_for_good");
    CHECK(tried[0].error_code == "child_failed");
    CHECK(tried[0].error.starts_with("child run of flow \"payment_run\" failed: "));
    CHECK(tried[0].error.find("the bank declined") != std::string::npos);
  }

  TEST_CASE("C8: a child's failures and mocks are planned with its own runner") {
    FlowRunner runner = claims();
    runner.child("payment_run").mock("pay", [](std::string_view) { return "7"; });
    CHECK(runner.run(R"({"amount":13})").attempts("payment").at(0).output == R"({"pay":7})");
    runner.child("payment_run").fail_for_good("pay", "planned");
    CHECK(runner.run(R"({"amount":13})").skipped("payment") == "handler_failed");
  }

  TEST_CASE("C8: a stand-in may take the place of the whole child") {
    FlowRunner runner = claims();
    runner.mock("payment", [](std::string_view input) { return std::string(input); });
    FinishedRun run = runner.run(R"({"amount":5})");
    CHECK(run.attempts("payment").at(0).output == R"({"amount":5,"large":false})");
    CHECK(run.children().empty());
    runner.mock("payment", [](std::string_view) -> std::string { throw std::runtime_error("no"); });
    run = runner.run(R"({"amount":5})");
    CHECK(run.attempts("payment").size() == 1);
    CHECK(run.skipped("payment") == "handler_failed");
    FlowRunner other = claims();
    other.fail("payment", "gone");
    CHECK(other.run(R"({"amount":5})").attempts("payment").at(0).error == "gone");
  }

  TEST_CASE("C8: a child of another plugin needs a stand-in") {
    FlowRunner runner(plugin, "outer");
    CHECK(refusal([&] { (void)runner.run(); }) ==
          "step \"elsewhere\" starts flow \"not_here\", which this plugin does not have: mock the "
          "step");
    runner.mock("elsewhere", [](std::string_view) { return "1"; });
    CHECK(runner.run().output() == R"({"elsewhere":1})");
  }

  TEST_CASE("D4: a flow may start itself as long as a condition ends it") {
    FlowRunner runner(plugin, "countdown");
    CHECK(runner.run("3").output() == R"({"again":{"again":null}})");
    CHECK(refusal([&] { (void)runner.run("1000"); }).find("does it ever end?") !=
          std::string::npos);
  }

  TEST_CASE("P7: a run all of whose leaves are skipped completes with null") {
    FlowRunner runner(plugin, "skips");
    const FinishedRun run = runner.run("{}");
    CHECK(run.completed());
    CHECK(run.output() == "null");
    CHECK(run.skipped("a") == "handler_failed");
    CHECK(run.skipped("b") == "dependency_skipped");
    CHECK(run.skipped("c") == "condition_unmet");
    CHECK(run.skipped().size() == 3);
  }

  TEST_CASE("what means nothing to a step's kind is refused") {
    FlowRunner runner = claims();
    CHECK(refusal([&] { runner.signal("anser"); }) ==
          "flow \"claim\" waits for no signal \"anser\"; did you mean \"answer\"?");
    CHECK(refusal([&] {
            runner.signal("answer", "{");
          }).starts_with("the payload of signal \"answer\" is not JSON"));
    runner.signal("answer");
    CHECK(refusal([&] { runner.signal("answer"); }) == "signal \"answer\" was sent already");
    CHECK(refusal([&] { runner.fail("ask", "no"); }) ==
          "step \"ask\" is a wait: it does not fail; give it a signal, or let its time pass");
    CHECK(refusal([&] { runner.mock("ask", [](std::string_view) { return "1"; }); }) ==
          "step \"ask\" is a wait: give it a signal instead");
    CHECK(refusal([&] { runner.max_attempts("ask", 2); }) ==
          "step \"ask\" is a wait: max_attempts does not apply to it");
    CHECK(refusal([&] { runner.time_out("payment"); }) ==
          "step \"payment\" is a flow: it does not time out or get lost; its run may fail");
    CHECK(refusal([&] { (void)runner.child("payment"); }) ==
          "the plugin has no flow \"payment\" (did you mean \"payment_run\"?)");
  }
}
