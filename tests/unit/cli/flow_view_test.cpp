#include "cli/views/flow_view.hpp"

#include <string>

#include <doctest/doctest.h>

#include "cli/catalogue.hpp"
#include "definition/flow_draft.hpp"

using namespace weir;
using namespace weir::cli;

namespace {

CatalogueFlow order(FlowOverrides overrides = {}) {
  FlowDraft draft;
  draft.module = "shop.Order";
  draft.slug = "order";
  draft.steps.resize(3);
  draft.steps[0].slug = "fetch";
  draft.steps[1].slug = "price";
  draft.steps[1].kind = "map";
  draft.steps[1].depends_on = {"fetch"};
  draft.steps[2].slug = "sum";
  draft.steps[2].depends_on = {"price", "fetch"};
  draft.steps[2].options.timeout_ms = 2'500;
  auto definition = FlowDefinition::build(draft);
  REQUIRE(definition);
  return {*std::move(definition),
          {"/srv/plugins/order.so", std::string(64, 'a')},
          std::move(overrides)};
}

// A wait and a flow step behind a check, all with rules of their own.
CatalogueFlow claim() {
  const auto json = [](const char* text) { return Json::parse(text).value(); };
  FlowDraft draft;
  draft.module = "shop.Claim";
  draft.slug = "claim";
  draft.steps = {{.slug = "check", .when_exhausted = "skip"},
                 {.slug = "ask",
                  .kind = "wait",
                  .depends_on = {"check"},
                  .options = {.timeout_ms = 259'200'000},
                  .only_if = json(R"({"check":{"large":true}})"),
                  .signal = "claim.answered"},
                 {.slug = "pay",
                  .kind = "flow",
                  .depends_on = {"ask"},
                  .only_if = json(R"({"ask":{"signalled":true}})"),
                  .unless = json(R"({"ask":{"payload":{"no":1}}})"),
                  .when_unmet = "skip_cascade",
                  .flow = "pay_out"}};
  auto definition = FlowDefinition::build(draft);
  REQUIRE(definition);
  return {*std::move(definition), {"/srv/plugins/claim.so", std::string(64, 'a')}, {}};
}

}  // namespace

TEST_SUITE_BEGIN("cli: flows");

TEST_CASE("patterns and schemas of a plugin are shown without characters that do harm") {
  FlowDraft draft;
  draft.module = "shop.Odd";
  draft.slug = "odd";
  draft.steps = {{.slug = "check", .only_if = Json::parse("{\"a\":\"\u009b\"}").value()}};
  draft.input_schema = Json::parse("{\"title\":\"\u202e\"}").value();
  auto definition = FlowDefinition::build(draft);
  REQUIRE(definition);
  const std::string text =
      flow_text({*std::move(definition), {"/srv/plugins/odd\n.so", std::string(64, 'a')}, {}}, {});
  CHECK(text.contains(R"(check: only if {"a":"\u009b"}, else it is skipped)"));
  CHECK(text.contains(R"(input        {"title":"\u202e"})"));
  CHECK(text.contains(R"(plugin       /srv/plugins/odd\n.so)"));
}

TEST_CASE("the JSON of a flow has the promised shape and the options it runs with") {
  const CatalogueFlow flow = order({.all = {.max_attempts = 9}});
  CHECK(
      flow_json(flow).text() ==
      R"({"module":"shop.Order","slug":"order","fingerprint":")" + flow.definition.fingerprint() +
          R"(","plugin":{"path":"/srv/plugins/order.so","sha256":")" + std::string(64, 'a') +
          R"("},"steps":[)"
          R"({"slug":"fetch","kind":"single","depends_on":[],"max_attempts":9,"base_delay_ms":1000,)"
          R"("max_delay_ms":3600000,"timeout_ms":60000,"start_delay_ms":0,"max_output_bytes":16777216},)"
          R"({"slug":"price","kind":"map","depends_on":["fetch"],"max_attempts":9,"base_delay_ms":1000,)"
          R"("max_delay_ms":3600000,"timeout_ms":60000,"start_delay_ms":0,"max_output_bytes":16777216},)"
          R"({"slug":"sum","kind":"single","depends_on":["fetch","price"],"max_attempts":9,)"
          R"("base_delay_ms":1000,"max_delay_ms":3600000,"timeout_ms":2500,"start_delay_ms":0,)"
          R"("max_output_bytes":16777216}]})");
}

TEST_CASE("D6: what the operator overrides leaves the fingerprint alone") {
  CHECK(order({.all = {.max_attempts = 9}}).definition.fingerprint() ==
        order().definition.fingerprint());
}

TEST_CASE("a flow is shown with its origin and graph and steps") {
  const CatalogueFlow flow = order({.all = {.max_attempts = 9, .timeout_ms = 60'000}});
  CHECK(flow_text(flow, {}) ==
        "order  shop.Order\n"
        "plugin       /srv/plugins/order.so\n"
        "sha256       " +
            std::string(64, 'a') +
            "\n"
            "fingerprint  " +
            flow.definition.fingerprint() +
            "\n"
            "flows.yaml   sets max_attempts, timeout\n"
            "\n"
            "fetch -+------------+-> sum\n"
            "       +-> price[] -+\n"
            "\n"
            "STEP   KIND    AFTER         ATTEMPTS  BACKOFF  TIMEOUT  OUTPUT\n"
            "fetch  single                       9  1s..1h        1m   16MiB\n"
            "price  map     fetch                9  1s..1h        1m   16MiB\n"
            "sum    single  fetch, price         9  1s..1h        1m   16MiB\n");
}

TEST_CASE("a graph wider than the terminal is not torn apart") {
  const Terminal narrow{.live = true, .colour = false, .unicode = true, .columns = 20};
  CHECK(
      flow_text(order(), narrow)
          .contains("(the graph is 27 columns wide: widen the terminal, or draw it with --dot)\n"));
}

TEST_CASE("flows are listed a line each") {
  Catalogue catalogue;
  catalogue.flows.push_back(order());
  CHECK(flows_text(catalogue, {}) ==
        "SLUG   MODULE      STEPS  PLUGIN                 FINGERPRINT\n"
        "order  shop.Order      3  /srv/plugins/order.so  " +
            order().definition.fingerprint().substr(0, 12) + "\n");
}

TEST_CASE("Graphviz gets every step and every dependency") {
  CHECK(flow_dot(order().definition) == R"(digraph "order" {
  rankdir=LR;
  node [shape=box];
  "fetch";
  "price" [shape=box3d];
  "sum";
  "fetch" -> "price";
  "fetch" -> "sum";
  "price" -> "sum";
}
)");
}

TEST_CASE("G2: a flow is found by slug and by module name and a mistyped name gets the nearest") {
  Catalogue catalogue;
  catalogue.flows.push_back(order());
  CHECK((*catalogue.find("order"))->definition.slug().view() == "order");
  CHECK((*catalogue.find("shop.Order"))->definition.slug().view() == "order");
  const auto unknown = catalogue.find("ordr");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error() == Error{.code = ErrorCode::not_found,
                                 .kind = "unknown_flow",
                                 .message = "no flow \"ordr\" in the plugin folders",
                                 .hint = "did you mean \"order\"?"});
}

TEST_CASE("an override without a flow is a warning at its place") {
  const auto config = parse_config(
      {"flows.yaml", "flows:\n  ordr: {timeout: 1s}\n  order: {timeout: 1s}\n"}, "/srv");
  REQUIRE(config);
  Catalogue catalogue;
  catalogue.flows.push_back(order());
  CHECK(idle_overrides(*config, catalogue) ==
        std::vector<std::string>{
            "flows.yaml:2:3: warning: no flow \"ordr\" in the plugin folders; did you mean "
            "\"order\"?\n   ordr: {timeout: 1s}\n   ^~~~"});
}

TEST_CASE("an override without a step or without a meaning is a warning at its place") {
  const auto config = parse_config(
      {"flows.yaml",
       "flows:\n  claim:\n    steps:\n      chek: {timeout: 1s}\n      ask: {max_attempts: 2, "
       "timeout: 1h}\n      pay: {timeout: 1s}\n"},
      "/srv");
  REQUIRE(config);
  Catalogue catalogue;
  catalogue.flows.push_back(claim());
  const std::vector<std::string> warnings = idle_overrides(*config, catalogue);
  REQUIRE(warnings.size() == 3);
  CHECK(warnings[0].starts_with(
      "flows.yaml:5:7: warning: step \"ask\" is a wait: its max_attempts has no effect\n"));
  CHECK(
      warnings[1].starts_with("flows.yaml:4:7: warning: flow \"claim\" has no step \"chek\"; did "
                              "you mean \"check\"?\n"));
  CHECK(warnings[2].starts_with(
      "flows.yaml:6:7: warning: step \"pay\" is a flow: its timeout has no effect\n"));
}

TEST_CASE("F7: what the table of steps does not tell stands below it") {
  const std::string text = flow_text(claim(), Terminal{});
  CHECK(text.contains("(ask)?"));
  CHECK(text.contains("pay()?"));
  const std::size_t table = text.find("STEP");
  REQUIRE(table != std::string::npos);
  CHECK(text.substr(table) ==
        R"(STEP   KIND    AFTER  ATTEMPTS  BACKOFF  TIMEOUT  OUTPUT
check  single                3  1s..1h        1m   16MiB
ask    wait    check                          3d
pay    flow    ask

check: when it has failed for good it is skipped
ask: waits for the signal claim.answered; only if {"check":{"large":true}}, else it is skipped
pay: runs the flow pay_out; only if {"ask":{"signalled":true}} and unless {"ask":{"payload":{"no":1}}}, else it and everything after it are skipped
)");
}

TEST_CASE("F7: --json has conditions and what a kind has of its own") {
  const std::string text(flow_json(claim()).text());
  CHECK(text.contains(
      R"({"slug":"ask","kind":"wait","depends_on":["check"],"timeout_ms":259200000,"start_delay_ms":0,)"
      R"("signal":"claim.answered","only_if":{"check":{"large":true}},"when_unmet":"skip"})"));
  CHECK(text.contains(
      R"({"slug":"pay","kind":"flow","depends_on":["ask"],"start_delay_ms":0,"flow":"pay_out",)"
      R"("only_if":{"ask":{"signalled":true}},"unless":{"ask":{"payload":{"no":1}}},)"
      R"("when_unmet":"skip_cascade"})"));
}

TEST_CASE("F7: dashed arrows lead to steps under a condition") {
  CHECK(flow_dot(claim().definition) == R"(digraph "claim" {
  rankdir=LR;
  node [shape=box];
  "check";
  "ask" [shape=octagon];
  "pay" [shape=component];
  "check" -> "ask" [style=dashed];
  "ask" -> "pay" [style=dashed];
}
)");
}

TEST_CASE("D3: options set for single steps are told beside those for all") {
  FlowOverrides overrides{.all = {.max_attempts = 5}};
  overrides.steps["fetch"] = {.timeout_ms = 1'000, .start_delay_ms = 5};
  const CatalogueFlow flow = order(overrides);
  CHECK(flow_text(flow, Terminal{})
            .contains("flows.yaml   sets max_attempts; of fetch: timeout, start_delay\n"));
  CHECK(flow.effective(flow.definition.steps()[0]).timeout == std::chrono::seconds(1));
}
