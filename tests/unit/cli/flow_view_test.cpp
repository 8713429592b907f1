#include "cli/flow_view.hpp"

#include <string>

#include <doctest/doctest.h>

#include "cli/catalogue.hpp"
#include "definition/flow_draft.hpp"

using namespace weir;
using namespace weir::cli;

namespace {

CatalogueFlow order(OptionOverrides overrides = {}) {
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
  return {*std::move(definition), {"/srv/plugins/order.so", std::string(64, 'a')}, overrides};
}

}  // namespace

TEST_SUITE_BEGIN("cli: flows");

TEST_CASE("the JSON of a flow has the promised shape and the options it runs with") {
  const CatalogueFlow flow = order({.max_attempts = 9});
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
  CHECK(order({.max_attempts = 9}).definition.fingerprint() == order().definition.fingerprint());
}

TEST_CASE("a flow is shown with its origin and graph and steps") {
  const CatalogueFlow flow = order({.max_attempts = 9, .timeout_ms = 60'000});
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
  CHECK(unknown_overrides(*config, {"order"}) ==
        std::vector<std::string>{
            "flows.yaml:2:3: warning: no flow \"ordr\" in the plugin folders; did you mean "
            "\"order\"?\n   ordr: {timeout: 1s}\n   ^~~~"});
  CHECK(unknown_overrides(*config, {"order", "ordr"}).empty());
}
