#include "trial/trial_flow.hpp"

#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "definition/manifest.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/library_reaper.hpp"
#include "plugin/loader.hpp"

namespace weir {
namespace {

std::string_view view(weir_str text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

Error mismatch(std::string message) {
  return {.code = ErrorCode::invalid_definition,
          .kind = "bad_descriptor",
          .message = std::move(message),
          .hint = "make weir_plugin_v1 and its manifest agree, in the same order"};
}

// The code of each step, in the order of the definition.
Result<std::vector<const weir_step*>> code_of(const weir_flow& flow, const FlowDraft& draft,
                                              const FlowDefinition& definition) {
  const auto steps_differ = [&] {
    return std::unexpected(mismatch(
        fmt::format("flow \"{}\": its steps and its manifest differ", definition.slug().view())));
  };
  if (flow.step_count != draft.steps.size()) return steps_differ();
  std::vector<const weir_step*> steps(draft.steps.size());
  for (std::size_t i = 0; i < draft.steps.size(); ++i) {
    const weir_step& step = step_at(flow, i);
    const auto position = definition.find(view(step.slug));
    if (!position || draft.steps[i].slug != view(step.slug) ||
        has_code(definition.steps()[*position].kind) != (step.run != nullptr))
      return steps_differ();
    WEIR_ASSERT(steps[*position] == nullptr);  // no two steps of a definition share a slug
    steps[*position] = &step;
  }
  return steps;
}

}  // namespace

std::expected<TrialPlugin, Faults> linked_plugin(const weir_plugin& plugin) {
  auto manifest = Manifest::parse(view(plugin.manifest));
  if (!manifest) return std::unexpected(std::move(manifest.error()));
  if (plugin.flow_count != manifest->flows.size())
    return std::unexpected(Faults{mismatch("its flows and its manifest differ")});
  TrialPlugin trial;
  Faults faults;
  for (std::size_t i = 0; i < manifest->flows.size(); ++i) {
    auto definition = FlowDefinition::build(manifest->flows[i]);
    if (!definition) {
      faults.insert(faults.end(), std::make_move_iterator(definition.error().begin()),
                    std::make_move_iterator(definition.error().end()));
      continue;
    }
    auto steps = code_of(flow_at(plugin, i), manifest->flows[i], *definition);
    if (steps)
      trial.flows.push_back({.definition = *std::move(definition), .steps = *std::move(steps)});
    else
      faults.push_back(std::move(steps.error()));
  }
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return trial;
}

Result<TrialPlugin> loaded_plugin(const std::filesystem::path& file) {
  auto stage = StageDirectory::open();
  if (!stage) return std::unexpected(to_error(stage.error()));
  const auto loader = std::make_shared<const PluginLoader>(*std::move(stage));
  auto flows = loader->load(file);
  if (!flows) return std::unexpected(to_error(flows.error()));
  const auto wait = [](const void*) {
    LibraryReaper::of_process().wait_until_idle(std::chrono::steady_clock::now() +
                                                std::chrono::seconds(10));
  };
  return TrialPlugin{.unloaded = std::shared_ptr<const void>(loader.get(), wait),
                     .flows = *std::move(flows),
                     .stage = loader};
}

Result<FlowModule> flow_of(const TrialPlugin& plugin, std::string_view name) {
  std::vector<std::string> slugs;
  for (const FlowModule& flow : plugin.flows) {
    if (name == flow.definition.slug().view() || name == flow.definition.module().view())
      return flow;
    slugs.push_back(flow.definition.slug().string());
  }
  const std::string there = fmt::format("it has {}", fmt::join(slugs, ", "));
  if (name.empty()) {
    if (plugin.flows.size() == 1) return plugin.flows.front();
    return std::unexpected(Error{.code = ErrorCode::invalid_input,
                                 .kind = "flow_not_named",
                                 .message = fmt::format("the plugin has {} flows, and none was "
                                                        "named",
                                                        plugin.flows.size()),
                                 .hint = there});
  }
  return std::unexpected(Error{.code = ErrorCode::not_found,
                               .kind = "unknown_flow",
                               .message = fmt::format("the plugin has no flow {}", in_quotes(name)),
                               .hint = did_you_mean(name, slugs, there)});
}

}  // namespace weir
