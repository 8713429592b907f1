#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <weir/sdk/flow_definition.hpp>
#include <weir/sdk/shape.hpp>
#include <weir/sdk/text_sink.hpp>

namespace weir::sdk {

/// Whether a step constrains the run's input: a root without conditions that does not accept every
/// value.
constexpr bool constrains_input(const Step& step) {
  return step.count == 0 && !step.settings.is_conditional() &&
         (step.kind == Kind::map || step.code.input->kind != Shape::Kind::any);
}

constexpr void write_input_schema_of(TextSink& out, const Step& step) {
  const Shape elements{.kind = Shape::Kind::list, .element = step.code.input};
  write_schema(out, step.kind == Kind::map ? elements : *step.code.input);
}

/// Writes the schema of what all roots together accept; nothing when they accept anything.
constexpr void write_input_schema(TextSink& out, std::span<const Step> steps) {
  const auto constraining = std::ranges::count_if(steps, constrains_input);
  if (constraining == 0) return;
  out.raw(R"(,"input_schema":)");
  if (constraining > 1) out.raw(R"({"allOf":[)");
  bool first = true;
  for (const Step& step : steps) {
    if (!constrains_input(step)) continue;
    if (!first) out.raw(",");
    write_input_schema_of(out, step);
    first = false;
  }
  if (constraining > 1) out.raw("]}");
}

constexpr std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::single:
      return "single";
    case Kind::map:
      return "map";
    case Kind::wait:
      return "wait";
    case Kind::flow:
      return "flow";
  }
  return "";
}

constexpr std::string_view name(Fallback fallback) {
  switch (fallback) {
    case Fallback::fail:
      return "fail";
    case Fallback::skip:
      return "skip";
    case Fallback::skip_cascade:
      return "skip_cascade";
  }
  return "";
}

constexpr void write_settings(TextSink& out, const Step& step) {
  const auto word = [&](std::string_view key, std::string_view value) {
    out.raw(",");
    out.quoted(key);
    out.raw(":");
    out.quoted(value);
  };
  const auto pattern = [&](std::string_view key, const std::optional<std::string_view>& json) {
    if (!json) return;
    out.raw(",");
    out.quoted(key);
    out.raw(":");
    out.raw(*json);
  };
  pattern("only_if", step.settings.only_if);
  pattern("unless", step.settings.unless);
  if (step.settings.when_unmet) word("when_unmet", name(*step.settings.when_unmet));
  if (step.settings.when_exhausted) word("when_exhausted", name(*step.settings.when_exhausted));
  if (step.kind == Kind::wait && step.signal() != step.slug) word("signal", step.signal());
  if (step.kind == Kind::flow) word("flow", step.child());
}

constexpr void write_flow(TextSink& out, const FlowView& flow) {
  out.raw(R"({"module":)");
  out.quoted(flow.module);
  out.raw(R"(,"slug":)");
  out.quoted(flow.slug);
  flow.options.write(out);
  write_input_schema(out, flow.steps);
  out.raw(R"(,"steps":[)");
  for (std::size_t i = 0; i < flow.steps.size(); ++i) {
    const Step& step = flow.steps[i];
    out.raw(i == 0 ? R"({"slug":)" : R"(,{"slug":)");
    out.quoted(step.slug);
    out.raw(R"(,"kind":)");
    out.quoted(name(step.kind));
    out.raw(R"(,"depends_on":[)");
    const std::span<const Dependency> dependencies = flow.of(step);
    for (std::size_t d = 0; d < dependencies.size(); ++d) {
      if (d != 0) out.raw(",");
      out.quoted(dependencies[d].slug);
    }
    out.raw("]");
    step.options.write(out);
    write_settings(out, step);
    out.raw("}");
  }
  out.raw("]}");
}

/// The manifest: its format is schemas/manifest.schema.json.
constexpr void write_manifest(TextSink& out, std::string_view plugin, std::string_view version,
                              std::span<const FlowView> flows) {
  out.raw(R"({"weir":1,"plugin":)");
  out.quoted(plugin);
  if (!version.empty()) {
    out.raw(R"(,"version":)");
    out.quoted(version);
  }
  out.raw(R"(,"flows":[)");
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (i != 0) out.raw(",");
    write_flow(out, flows[i]);
  }
  out.raw("]}");
}

}  // namespace weir::sdk
