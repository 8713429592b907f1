#include "plugin/in_process_host.hpp"

#include <cstddef>
#include <memory>
#include <utility>

#include <weir/abi/plugin.h>

#include "base/assert.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/library.hpp"

namespace weir {
namespace {

// The descriptor's steps are in the manifest's order, a definition's in its canonical one.
std::vector<const weir_step*> steps_of(const weir_flow& flow, const FlowDraft& draft,
                                       const FlowDefinition& definition) {
  WEIR_ASSERT(draft.steps.size() == definition.steps().size());
  std::vector<const weir_step*> steps(definition.steps().size());
  for (std::size_t i = 0; i < draft.steps.size(); ++i) {
    const auto position = definition.find(draft.steps[i].slug);
    WEIR_ASSERT(position.has_value());
    WEIR_ASSERT(steps[*position] == nullptr);  // no two steps of a definition share a slug
    steps[*position] = &step_at(flow, i);
  }
  return steps;
}

}  // namespace

std::expected<std::vector<FlowModule>, PluginError> InProcessHost::open(
    const PluginInspection& plugin, const StagedCopy& staged) {
  auto library = Library::load(staged, plugin.file.sha256);
  if (!library) return std::unexpected(placed(std::move(library.error()), plugin.file));
  auto descriptor = checked_descriptor((*library)->symbol(WEIR_PLUGIN_SYMBOL), (*library)->memory(),
                                       plugin.manifest, plugin.note);
  if (!descriptor) return std::unexpected(placed(std::move(descriptor.error()), plugin.file));

  WEIR_ASSERT(plugin.flows.size() == plugin.manifest.flows.size());
  std::vector<FlowModule> modules;
  for (std::size_t i = 0; i < plugin.flows.size(); ++i) {
    const FlowDefinition& definition = plugin.flows[i];
    modules.push_back(FlowModule{
        .definition = definition,
        .steps = steps_of(flow_at(**descriptor, i), plugin.manifest.flows[i], definition),
        .file = plugin.file,
        .code = *library});
  }
  return modules;
}

}  // namespace weir
