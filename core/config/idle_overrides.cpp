#include "config/idle_overrides.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/nearest.hpp"

namespace weir {
namespace {

constexpr std::string_view no_effect = "its settings have no effect";

void add_steps(const FlowDefinition& flow, const FlowConfig& settings,
               std::vector<IdleOverride>& idle) {
  std::vector<std::string> slugs;
  for (const StepDefinition& step : flow.steps()) slugs.push_back(step.slug.string());
  for (const auto& [slug, options] : settings.overrides.steps) {
    const TextSpan where = settings.step_places.at(slug);
    const auto add = [&idle, where](std::string what) {
      idle.push_back({.where = where, .what = std::move(what)});
    };
    const auto position = flow.find(slug);
    if (!position) {
      add(fmt::format("flow \"{}\" has no step \"{}\"; {}", flow.slug().view(), slug,
                      did_you_mean(slug, slugs, no_effect)));
      continue;
    }
    const StepKind kind = flow.steps()[*position].kind;
    for (const OptionRule& rule : option_rules)
      if (options.*rule.member && !rule.applies_to(kind))
        add(fmt::format("step \"{}\" is a {}: its {} has no effect", slug, name(kind),
                        rule.plain_name()));
  }
}

}  // namespace

std::vector<IdleOverride> idle_overrides(const Config& config, const KnownFlows& flows) {
  std::vector<std::string> slugs;
  for (const FlowDefinition* const flow : flows) slugs.push_back(flow->slug().string());
  std::vector<IdleOverride> idle;
  for (const auto& [slug, settings] : config.flows) {
    const auto known = std::ranges::find(slugs, slug.string());
    if (known == slugs.end())
      idle.push_back({.where = settings.where,
                      .what = fmt::format("no flow \"{}\" in the plugin folders; {}", slug.view(),
                                          did_you_mean(slug.view(), slugs, no_effect))});
    else
      add_steps(*flows[static_cast<std::size_t>(known - slugs.begin())], settings, idle);
  }
  return idle;
}

}  // namespace weir
