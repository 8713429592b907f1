#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <weir/flow.hpp>

#include "definition/manifest.hpp"
#include "fault_words.hpp"
#include "handlers.hpp"

using namespace std::chrono_literals;
using weir::flow;
using weir::map;
using weir::step;
using weir::wait;
using weir::fallbacks::fail;
using weir::fallbacks::skip;
using weir::fallbacks::skip_cascade;
using weir::sdk::define_flow;
using weir::sdk::json_fault;
using weir::testing::fault;
using weir::testing::number;
using weir::testing::only_if;
using weir::testing::pass;
using weir::testing::twice;

namespace {

struct Verdict {
  bool granted;
};
WEIR_JSON(Verdict, granted)

struct AfterWait {
  weir::Waited<Verdict> ask;
};
WEIR_JSON(AfterWait, ask)

struct MaybeWait {
  std::optional<weir::Waited<Verdict>> ask;
};
WEIR_JSON(MaybeWait, ask)

struct WrongWait {
  bool ask;
};
WEIR_JSON(WrongWait, ask)

struct TwoNumbers {
  int a;
  int b;
};
WEIR_JSON(TwoNumbers, a, b)

struct MaybeA {
  std::optional<int> a;
  int b;
};
WEIR_JSON(MaybeA, a, b)

int two_numbers(weir::Context&, TwoNumbers in) { return in.a; }
int maybe_a(weir::Context&, MaybeA in) { return in.b; }
int any_numbers(weir::Context&, std::map<std::string, int> in) {
  return static_cast<int>(in.size());
}
int after_wait(weir::Context&, AfterWait in) { return in.ask ? 1 : 0; }
int maybe_wait(weir::Context&, MaybeWait in) { return in.ask ? 1 : 0; }
int wrong_wait(weir::Context&, WrongWait in) { return in.ask ? 1 : 0; }

}  // namespace

TEST_SUITE("sdk: wait and flow steps") {
  TEST_CASE("D4: a wait gives what a Waited or anything takes") {
    constexpr auto ask = wait("ask", 72h);
    CHECK(fault(define_flow("f", "M", ask, step<after_wait>("b").after("ask"))).empty());
    CHECK(fault(define_flow("f", "M", ask, step<maybe_wait>("b").after("ask"))).empty());
    CHECK(fault(define_flow("f", "M", ask, step<pass>("b").after("ask"))).empty());
    CHECK(fault(define_flow("f", "M", ask, step<wrong_wait>("b").after("ask"))) ==
          "result_does_not_fit_input(b, ask)");
    CHECK(fault(define_flow("f", "M", ask, map<pass>("b").over("ask"))) ==
          "map_over_non_array(b, ask)");
    CHECK(fault(define_flow("f", "M", step<number>("a"), ask.after("a"))).empty());
  }

  TEST_CASE("D4: a Waited is read from what a wait gives") {
    using Answer = weir::Waited<Verdict>;
    const auto yes = weir::from_json<Answer>(R"({"signalled":true,"payload":{"granted":true}})");
    CHECK((yes && yes.payload->granted));
    CHECK_FALSE(weir::from_json<Answer>(R"({"signalled":false})"));
    const auto empty = weir::from_json<Answer>(R"({"signalled":true,"payload":null})");
    CHECK((empty && !empty.payload));
    CHECK(weir::to_json(yes) == R"({"signalled":true,"payload":{"granted":true}})");
  }

  TEST_CASE("D4: a signal is a name and ends one wait") {
    CHECK(fault(define_flow("f", "M", wait("a", 1h), wait("b", 1h).signal("order.paid"))).empty());
    CHECK(fault(define_flow("f", "M", wait("a", 1h).signal("order paid"))) ==
          "bad_signal(a, order paid)");
    CHECK(fault(define_flow("f", "M", wait("a", 1h), wait("b", 1h).signal("A"))) ==
          "duplicate_signal(b, a)");
  }

  TEST_CASE("D4: a flow step takes one step's result and gives anything") {
    constexpr auto charge = flow("charge").runs("charge_card");
    CHECK(fault(define_flow("f", "M", charge)).empty());
    CHECK(fault(define_flow("f", "M", step<number>("a"), charge.over("a"),
                            step<pass>("b").after("charge")))
              .empty());
    CHECK(fault(define_flow("f", "M", charge, map<twice>("b").over("charge"))).empty());
    CHECK(fault(define_flow("f", "M", step<number>("a"), step<number>("b"),
                            charge.over("a", "b"))) == "flow_dependencies(charge, b)");
    CHECK(fault(define_flow("f", "M", charge.runs("charge card"))) == "bad_slug(charge card, )");
  }

  TEST_CASE("D4: a flow that starts itself needs a condition that ends it") {
    CHECK(fault(define_flow("f", "M", flow("again").runs("F"))) == "endless_flow(again, F)");
    CHECK(fault(define_flow("f", "M", flow("again").runs("f").unless(R"({"depth":0})"))).empty());
  }

  TEST_CASE("D3: options that mean nothing to a wait or a flow step are refused") {
    CHECK(fault(define_flow("f", "M", wait("a", 720h).start_delay(1s))).empty());
    CHECK(fault(define_flow("f", "M", wait("a", 721h))) == "option_out_of_range(a, timeout_ms)");
    CHECK(fault(define_flow("f", "M", wait("a", 1h).max_attempts(2))) ==
          "misplaced_option(a, max_attempts)");
    CHECK(fault(define_flow("f", "M", wait("a", 1h).when_exhausted(skip))) ==
          "misplaced_option(a, when_exhausted)");
    CHECK(fault(define_flow("f", "M", flow("a").timeout(1s))) == "misplaced_option(a, timeout_ms)");
    CHECK(fault(define_flow("f", "M", flow("a").when_exhausted(skip))).empty());
  }
}

TEST_SUITE("sdk: manifest of waits, flow steps and conditions") {
  TEST_CASE("D4: the manifest says what the source says and the engine reads it") {
    const auto made = define_flow(
        "f", "M", step<number>("a").only_if(R"({ "ok": true })").when_exhausted(skip_cascade),
        wait("ask", 72h).after("a").signal("order.paid").unless("null").when_unmet(fail),
        wait("b", 1s), flow("charge").runs("charge_card").over("a"));
    const auto manifest = [&](weir::sdk::TextSink& out) {
      const std::array<weir::sdk::FlowView, 1> flows{made.view()};
      weir::sdk::write_manifest(out, "p", "", flows);
    };
    weir::sdk::TextSink counter;
    manifest(counter);
    std::string text(counter.size(), ' ');
    weir::sdk::TextSink sink(text.data());
    manifest(sink);
    CHECK(
        text ==
        R"({"weir":1,"plugin":"p","flows":[{"module":"M","slug":"f","steps":[)"
        R"({"slug":"a","kind":"single","depends_on":[],"only_if":{ "ok": true },"when_exhausted":"skip_cascade"},)"
        R"({"slug":"ask","kind":"wait","depends_on":["a"],"timeout_ms":259200000,"unless":null,)"
        R"("when_unmet":"fail","signal":"order.paid"},)"
        R"({"slug":"b","kind":"wait","depends_on":[],"timeout_ms":1000},)"
        R"({"slug":"charge","kind":"flow","depends_on":["a"],"flow":"charge_card"}]}]})");
    const auto read = weir::Manifest::parse(text);
    REQUIRE(read);
    CHECK(read->flows[0].steps[0].only_if->text() == R"({"ok":true})");
    CHECK(read->flows[0].steps[1].unless->text() == "null");
  }

  TEST_CASE("F7: a root under a condition puts no demand on the run's input") {
    const auto made = define_flow("f", "M", step<twice>("a").only_if("7"), step<twice>("b"));
    CHECK_FALSE(weir::sdk::constrains_input(made.steps[0]));
    CHECK(weir::sdk::constrains_input(made.steps[1]));
  }
}

TEST_SUITE("sdk: conditions") {
  TEST_CASE("F7: a condition is JSON") {
    for (const char* pattern : {"null", " false ", "-0.5e+3", R"("\u00e4\ud83d\ude00\n")", "[]",
                                "[1, [2], {}]", R"({ "a" : {"b":[true]} , "c":"" })"})
      CHECK(fault(define_flow("f", "M", only_if(step<number>("a"), pattern))).empty());
    for (const char* pattern :
         {"", "nul", "01", "1.", "+1", ".5", "1e", "\"", "\"\t\"", R"("\x")", R"("\u0000")",
          R"("\ud83d")", "[1,]", "[1", "{a:1}", R"({"a"})", R"({"a":})", R"({"a":1,})", "1 2"})
      CHECK_MESSAGE(fault(define_flow("f", "M", only_if(step<number>("a"), pattern)))
                        .starts_with("condition_is_not_json(a, "),
                    pattern);
    CHECK(fault(define_flow("f", "M", step<number>("a").only_if(R"({"ok": yes})"))) ==
          "condition_is_not_json(a, yes})");
    CHECK(json_fault("[1, x]") == 4);
    CHECK(json_fault(std::string(101, '[') + std::string(101, ']')) == std::nullopt);
    CHECK(json_fault(std::string(103, '[') + std::string(103, ']')).has_value());
  }

  TEST_CASE("F7: a condition of a step after others asks for what they can give") {
    constexpr auto ask = wait("ask", 1h);
    const auto fault_of = [&](std::string_view pattern) {
      return fault(define_flow("f", "M", wait("ask", 1h), step<number>("a"),
                               only_if(step<pass>("b").after("ask", "a"), pattern)));
    };
    CHECK(fault_of(R"({"ask":{"signalled":true,"payload":{"granted":true}},"a":1})").empty());
    CHECK(fault_of(R"({"\u0061":1})").empty());
    CHECK(fault_of("7") == "condition_never_met(b, 7)");
    CHECK(fault_of(R"({"aks":{}})") == "condition_never_met(b, aks)");
    CHECK(fault_of(R"({"ask":true})") == "condition_never_met(b, true)");
    CHECK(fault_of(R"({"ask":{"signaled":true}})") == "condition_never_met(b, signaled)");
    CHECK(fault_of(R"({"ask":{"signalled":"yes"}})") == "condition_never_met(b, signalled)");
    CHECK(fault(define_flow("f", "M", ask.only_if("7"))).empty());
  }

  TEST_CASE("F7: when_unmet needs a condition") {
    CHECK(fault(define_flow("f", "M", step<number>("a").when_unmet(fail))) ==
          "misplaced_option(a, when_unmet)");
    CHECK(fault(define_flow("f", "M", step<number>("a").unless("0").when_unmet(fail))).empty());
  }

  TEST_CASE("F7: what can be skipped is optional in the input of those after it") {
    constexpr auto a = step<number>("a");
    const auto fault_of = [&](auto first, auto last) {
      return fault(define_flow("f", "M", first, step<number>("b"), last));
    };
    constexpr auto needs = step<two_numbers>("c").after("a", "b");
    CHECK(fault_of(a, needs).empty());
    CHECK(fault_of(a.only_if("{}"), needs) == "input_member_can_be_absent(c, a)");
    CHECK(fault_of(a.unless("{}"), needs) == "input_member_can_be_absent(c, a)");
    CHECK(fault_of(a.when_exhausted(skip), needs) == "input_member_can_be_absent(c, a)");
    CHECK(fault_of(a.only_if("{}"), step<maybe_a>("c").after("a", "b")).empty());
    CHECK(fault_of(a.only_if("{}"), step<any_numbers>("c").after("a", "b")).empty());
    CHECK(fault_of(a.only_if("{}"), step<pass>("c").after("a", "b")).empty());
    CHECK(fault(define_flow("f", "M", wait("ask", 1h).only_if("{}"),
                            step<after_wait>("c").after("ask"))) ==
          "input_member_can_be_absent(c, ask)");
  }

  TEST_CASE("F7: what takes its dependents along or fails the run is never absent") {
    const auto fault_of = [&](auto first) {
      return fault(
          define_flow("f", "M", first, step<number>("b"), step<two_numbers>("c").after("a", "b")));
    };
    constexpr auto a = step<number>("a");
    CHECK(fault_of(a.only_if("{}").when_unmet(skip_cascade)).empty());
    CHECK(fault_of(a.only_if("{}").when_unmet(fail)).empty());
    CHECK(fault_of(a.when_exhausted(skip_cascade)).empty());
  }

  TEST_CASE("F7: what a step asks for in only_if is there when it runs") {
    CHECK(fault(define_flow("f", "M", step<number>("a").when_exhausted(skip), step<number>("b"),
                            step<two_numbers>("c").after("a", "b").only_if(R"({"a": 1})")))
              .empty());
    CHECK(fault(define_flow("f", "M", step<number>("a").when_exhausted(skip), step<number>("b"),
                            step<two_numbers>("c").after("a", "b").unless(R"({"a": 1})"))) ==
          "input_member_can_be_absent(c, a)");
  }
}
