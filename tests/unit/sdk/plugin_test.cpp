#include <chrono>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

#include <weir/flow.hpp>

#include "definition/flow_definition.hpp"
#include "definition/manifest.hpp"
#include "fake_host.hpp"

using namespace std::chrono_literals;

namespace {
struct Order {
  int id;
  std::vector<std::string> skus;
};
WEIR_JSON(Order, id, skus)

struct Line {
  std::string sku;
  double price;
};
WEIR_JSON(Line, sku, price)

struct Priced {
  std::vector<Line> price;
};
WEIR_JSON(Priced, price)

std::vector<std::string> fetch(weir::Context& context, Order order) {
  context.log("fetching");
  return order.skus;
}
Line price(weir::Context&, const std::string& sku) { return {sku, 2.5}; }
double sum(weir::Context&, Priced lines) {
  double total = 0;
  for (const Line& line : lines.price) total += line.price;
  return total;
}

// Ends in the way its input names.
void end(weir::Context& context, std::string way) {
  if (way == "permanent") throw weir::permanent("no such sku");
  if (way == "permanent with a code") throw weir::permanent("no_sku", "no such sku");
  if (way == "retry") throw weir::retry_after(30s, "busy");
  if (way == "retry at once") throw weir::retry_after(-1s, "busy");
  if (way == "exception") throw std::runtime_error("broken pipe");
  if (way == "number") throw 42;
  if (way == "json") weir::from_json<int>("[]");
  context.check();
}
double not_a_number(weir::Context&) { return std::numeric_limits<double>::quiet_NaN(); }

std::string facts(weir::Context& context) {
  context.debug("d");
  context.info("i");
  context.warn("w");
  context.error("e");
  return std::string(context.run_id()) + ' ' + std::string(context.flow()) + ' ' +
         std::string(context.step()) + ' ' + std::to_string(context.attempt()) + ' ' +
         std::to_string(context.task_index()) + ' ' +
         std::to_string(context.flow_input<Order>().id) + (context.cancelled() ? " cancelled" : "");
}
boost::json::value echo(weir::Context&, boost::json::value value) noexcept { return value; }
}  // namespace

WEIR_FLOW(order_totals, "shop.OrderTotals",
          step<fetch>("fetch").max_attempts(5).timeout(30s),  //
          step<sum>("sum").after("price").base_delay(250ms).max_delay(1min),
          map<price>("price").over("fetch").start_delay(2s).max_output(1024))
WEIR_FLOW(endings, "shop.Endings", options().max_attempts(1), map<end>("end"),
          step<not_a_number>("nan"), step<facts>("facts"), step<echo>("echo"))
WEIR_FLOW(two_roots, "shop.TwoRoots", step<fetch>("a"), step<[](weir::Context&, Line) {}>("b"))
WEIR_PLUGIN(order_totals, endings, two_roots)

namespace {
using weir::testing::fake_host;
using weir::testing::str;
using weir::testing::view;

const weir_step& step_of(std::string_view flow, std::string_view step) {
  for (std::size_t f = 0; f < weir_plugin_v1.flow_count; ++f)
    for (std::size_t s = 0; s < weir_plugin_v1.flows[f].step_count; ++s)
      if (view(weir_plugin_v1.flows[f].slug) == flow &&
          view(weir_plugin_v1.flows[f].steps[s].slug) == step)
        return weir_plugin_v1.flows[f].steps[s];
  throw std::logic_error("no such step");
}

std::int32_t run(std::string_view flow, std::string_view step, weir_call& call,
                 std::string_view input) {
  call.facts.emplace("step", step);
  const weir_step& found = step_of(flow, step);
  return found.run(&fake_host(), &call, str(input), found.user);
}

void check_failure(std::string_view input, std::int32_t kind, std::string_view code,
                   std::string_view message, std::uint64_t retry_after_ms = 0) {
  CAPTURE(input);
  weir_call call;
  CHECK(run("endings", "end", call, input) == kind);
  CHECK(call.outputs.empty());
  REQUIRE(call.failures.size() == 1);
  CHECK(call.failures.front().kind == kind);
  CHECK(call.failures.front().code == code);
  CHECK(call.failures.front().message == message);
  CHECK(call.failures.front().retry_after_ms == retry_after_ms);
}
}  // namespace

TEST_SUITE("sdk: plugin") {
  TEST_CASE("the manifest says what the source says") {
    CHECK(
        view(weir_plugin_v1.manifest) ==
        R"({"weir":1,"plugin":"sdk_test","version":"1.2 \"beta\"","flows":[)"
        R"({"module":"shop.OrderTotals","slug":"order_totals",)"
        R"("input_schema":{"type":"object","properties":{"id":{"type":"integer"},)"
        R"("skus":{"type":"array","items":{"type":"string"}}},"required":["id","skus"]},"steps":[)"
        R"({"slug":"fetch","kind":"single","depends_on":[],"max_attempts":5,"timeout_ms":30000},)"
        R"({"slug":"sum","kind":"single","depends_on":["price"],"base_delay_ms":250,"max_delay_ms":60000},)"
        R"({"slug":"price","kind":"map","depends_on":["fetch"],"start_delay_ms":2000,"max_output_bytes":1024}]},)"
        R"({"module":"shop.Endings","slug":"endings","max_attempts":1,)"
        R"("input_schema":{"type":"array","items":{"type":"string"}},"steps":[)"
        R"({"slug":"end","kind":"map","depends_on":[]},{"slug":"nan","kind":"single","depends_on":[]},)"
        R"({"slug":"facts","kind":"single","depends_on":[]},{"slug":"echo","kind":"single","depends_on":[]}]},)"
        R"({"module":"shop.TwoRoots","slug":"two_roots","input_schema":{"allOf":[)"
        R"({"type":"object","properties":{"id":{"type":"integer"},)"
        R"("skus":{"type":"array","items":{"type":"string"}}},"required":["id","skus"]},)"
        R"({"type":"object","properties":{"sku":{"type":"string"},"price":{"type":"number"}},)"
        R"("required":["sku","price"]}]},"steps":[)"
        R"({"slug":"a","kind":"single","depends_on":[]},{"slug":"b","kind":"single","depends_on":[]}]}]})");
  }

  TEST_CASE("the engine reads the manifest and builds every flow of it") {
    const auto manifest = weir::Manifest::parse(view(weir_plugin_v1.manifest));
    REQUIRE(manifest);
    CHECK(manifest->plugin == "sdk_test");
    CHECK(manifest->version == "1.2 \"beta\"");
    REQUIRE(manifest->flows.size() == 3);
    for (const weir::FlowDraft& draft : manifest->flows)
      CHECK(weir::FlowDefinition::build(draft).has_value());
    const auto totals = weir::FlowDefinition::build(manifest->flows.front());
    CHECK(totals->steps()[*totals->find("fetch")].options.timeout == 30s);
  }

  TEST_CASE("the definition symbol has what the manifest has and in its order") {
    CHECK(weir_plugin_v1.magic == WEIR_ABI_MAGIC);
    CHECK(weir_plugin_v1.struct_size == sizeof(weir_plugin));
    CHECK(weir_plugin_v1.abi_major == 1);
    CHECK(weir_plugin_v1.abi_minor == 0);
    CHECK(view(weir_plugin_v1.name) == "sdk_test");
    CHECK(view(weir_plugin_v1.version) == "1.2 \"beta\"");
    CHECK(view(weir_plugin_v1.build_info) == __VERSION__);
    CHECK(weir_plugin_v1.flow_count == 3);
    CHECK(weir_plugin_v1.flow_stride == sizeof(weir_flow));
    const weir_flow& totals = weir_plugin_v1.flows[0];
    CHECK(totals.struct_size == sizeof(weir_flow));
    CHECK(view(totals.module) == "shop.OrderTotals");
    CHECK(view(totals.slug) == "order_totals");
    CHECK(totals.step_count == 3);
    CHECK(totals.step_stride == sizeof(weir_step));
    CHECK(totals.steps[0].struct_size == sizeof(weir_step));
    CHECK(view(totals.steps[0].slug) == "fetch");
    CHECK(view(totals.steps[1].slug) == "sum");
    CHECK(view(totals.steps[2].slug) == "price");
  }

  TEST_CASE("the manifest of the symbol stands within the note") {
    const char* const note = weir_plugin_v1.manifest.data - 20;
    std::uint32_t head[3];
    std::memcpy(head, note, sizeof head);
    CHECK(head[0] == 5);
    CHECK(head[1] == weir_plugin_v1.manifest.size);
    CHECK(head[2] == WEIR_NOTE_TYPE);
    CHECK(std::string_view(note + 12, 8) == std::string_view("Weir\0\0\0\0", 8));
  }

  TEST_CASE("a handler is given its input and what it returns is the output") {
    weir_call fetched;
    CHECK(run("order_totals", "fetch", fetched, R"({"id": 1, "skus": ["a", "b"]})") == WEIR_OK);
    CHECK(fetched.outputs == std::vector<std::string>{R"(["a","b"])"});
    CHECK(fetched.logs ==
          std::vector<std::pair<std::int32_t, std::string>>{{WEIR_LOG_INFO, "fetching"}});
    weir_call priced;
    CHECK(run("order_totals", "price", priced, R"("a")") == WEIR_OK);
    CHECK(priced.outputs == std::vector<std::string>{R"({"sku":"a","price":2.5})"});
    weir_call summed;
    CHECK(run("order_totals", "sum", summed,
              R"({"price":[{"sku":"a","price":2.5},{"sku":"b","price":1}]})") == WEIR_OK);
    CHECK(summed.outputs == std::vector<std::string>{"3.5"});
    CHECK((fetched.failures.empty() && priced.failures.empty() && summed.failures.empty()));
  }

  TEST_CASE("P8: a handler of anything passes values unchanged and void gives null") {
    weir_call echoed;
    const std::string text =
        R"({"a":[9223372036854775807,0.30000000000000004,"\u0001",null,false]})";
    CHECK(run("endings", "echo", echoed, text) == WEIR_OK);
    CHECK(echoed.outputs == std::vector<std::string>{text});
    weir_call ended;
    CHECK(run("endings", "end", ended, R"("well")") == WEIR_OK);
    CHECK(ended.outputs == std::vector<std::string>{"null"});
  }

  TEST_CASE("F3: a handler can fail for good or ask for a time") {
    check_failure(R"("permanent")", WEIR_FAILED_FOR_GOOD, "permanent", "no such sku");
    check_failure(R"("permanent with a code")", WEIR_FAILED_FOR_GOOD, "no_sku", "no such sku");
    check_failure(R"("retry")", WEIR_FAILED, "retry_after", "busy", 30'000);
    check_failure(R"("retry at once")", WEIR_FAILED, "retry_after", "busy", 1);
  }

  TEST_CASE("F3: any other exception is a plain failure with its text") {
    check_failure(R"("exception")", WEIR_FAILED, "exception", "broken pipe");
    check_failure(R"("number")", WEIR_FAILED, "unknown_exception",
                  "the handler threw something that is not a std::exception");
    check_failure(R"("json")", WEIR_FAILED, "exception",
                  "expected an integer from -2147483648 to 2147483647, got an array");
  }

  TEST_CASE(
      "F3: input that the handler cannot take is a failure for good that names step and place") {
    check_failure("7", WEIR_FAILED_FOR_GOOD, "bad_input",
                  "step \"end\" cannot read its input: expected a string, got a number");
    check_failure("{", WEIR_FAILED_FOR_GOOD, "bad_input",
                  "step \"end\" cannot read its input: not JSON: at byte 1: incomplete JSON");
    weir_call call;
    CHECK(run("order_totals", "fetch", call, R"({"id":1,"skus":["a",2]})") == WEIR_FAILED_FOR_GOOD);
    CHECK(call.failures.front().message ==
          "step \"fetch\" cannot read its input: /skus/1: expected a string, got a number");
  }

  TEST_CASE("F3: a result that JSON cannot hold is a failure for good") {
    weir_call call;
    CHECK(run("endings", "nan", call, "null") == WEIR_FAILED_FOR_GOOD);
    CHECK(call.outputs.empty());
    CHECK(call.failures.front().code == "bad_output");
    CHECK(call.failures.front().message ==
          "step \"nan\" cannot write its output: NaN is not a JSON number");
  }

  TEST_CASE("an output that the host refuses is a failure for good") {
    weir_call call;
    call.refuses_output = true;
    CHECK(run("order_totals", "price", call, R"("a")") == WEIR_FAILED_FOR_GOOD);
  }

  TEST_CASE("check() ends the call as cancelled once the host says so and does nothing before") {
    weir_call call;
    call.is_cancelled = true;
    CHECK(run("endings", "end", call, R"("check")") == WEIR_CANCELLED);
    CHECK(call.outputs.empty());
    CHECK(call.failures.empty());
    weir_call on;
    CHECK(run("endings", "end", on, R"("check")") == WEIR_OK);
  }

  TEST_CASE("a context gives the facts of its call and logs at four levels") {
    weir_call call;
    call.is_cancelled = true;
    call.facts = {{"run_id", "r-1"},     {"flow", "endings"},
                  {"step", "facts"},     {"attempt", "12"},
                  {"task_index", "345"}, {"flow_input", R"({"id":9,"skus":[]})"}};
    CHECK(run("endings", "facts", call, "null") == WEIR_OK);
    CHECK(call.outputs == std::vector<std::string>{R"("r-1 endings facts 12 345 9 cancelled")"});
    CHECK(call.logs == std::vector<std::pair<std::int32_t, std::string>>{{WEIR_LOG_DEBUG, "d"},
                                                                         {WEIR_LOG_INFO, "i"},
                                                                         {WEIR_LOG_WARN, "w"},
                                                                         {WEIR_LOG_ERROR, "e"}});
  }
}
