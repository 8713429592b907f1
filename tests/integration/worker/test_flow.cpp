#include "integration/worker/test_flow.hpp"

#include <doctest/doctest.h>

namespace weir::testing {
namespace {

std::int32_t run_handler(const weir_host* host, weir_call* call, weir_str input, void* user) {
  TestCall test_call(*host, call, {input.data, input.size});
  return (*static_cast<const TestHandler*>(user))(test_call);
}

std::optional<Json> json_of(const std::optional<std::string>& text) {
  return text ? std::optional(Json::trusted(*text)) : std::nullopt;
}

}  // namespace

TestHandler returns(std::string json) {
  return [json = std::move(json)](TestCall& call) { return call.output(json); };
}

TestFlow::Step TestFlow::wait(std::string slug, std::vector<std::string> depends_on,
                              std::int64_t timeout_ms) {
  Step step{.slug = std::move(slug), .handler = {}, .depends_on = std::move(depends_on)};
  step.kind = "wait";
  step.options.timeout_ms = timeout_ms;
  return step;
}

TestFlow::Step TestFlow::child(std::string slug, std::vector<std::string> depends_on,
                               std::string flow) {
  Step step{.slug = std::move(slug), .handler = {}, .depends_on = std::move(depends_on)};
  step.kind = "flow";
  step.flow = std::move(flow);
  return step;
}

TestFlow::TestFlow(std::string slug, std::vector<Step> steps) : slug_(std::move(slug)) {
  draft_.module = "test." + slug_;
  draft_.slug = slug_;
  for (Step& step : steps) {
    handlers_.push_back(std::move(step.handler));
    draft_.steps.push_back({.slug = step.slug,
                            .kind = step.kind,
                            .depends_on = step.depends_on,
                            .options = step.options,
                            .only_if = json_of(step.only_if),
                            .unless = json_of(step.unless),
                            .when_unmet = step.when_unmet,
                            .when_exhausted = step.when_exhausted,
                            .signal = step.signal,
                            .flow = step.flow});
    weir_step code{};
    code.struct_size = sizeof(weir_step);
    code.run = run_handler;
    code.user = &handlers_.back();
    steps_.emplace(step.slug, code);
  }
}

FlowModule TestFlow::module() const& {
  auto definition = FlowDefinition::build(draft_);
  REQUIRE_MESSAGE(definition.has_value(), definition.error().front().message);
  std::vector<const weir_step*> code;
  for (const StepDefinition& step : definition->steps())
    code.push_back(&steps_.at(step.slug.string()));
  return {.definition = *std::move(definition), .steps = std::move(code), .file = {}, .code = {}};
}

}  // namespace weir::testing
