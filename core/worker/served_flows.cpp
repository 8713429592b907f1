#include "worker/served_flows.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

#include "plugin/quarantine.hpp"
#include "worker/away.hpp"

namespace weir {
namespace {

std::string plural(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// One that begins with its run, whatever the input is. Behind a map it may have to wait for a slot.
std::optional<std::size_t> first_step_of(const FlowDefinition& flow,
                                         const std::vector<StepOptions>& options) {
  for (std::size_t i = 0; i < options.size(); ++i) {
    const StepDefinition& step = flow.steps()[i];
    if (step.kind == StepKind::map && step.depends_on.empty()) return std::nullopt;
    if (step.kind == StepKind::single && step.depends_on.empty() && !step.conditions.only_if &&
        !step.conditions.unless && options[i].start_delay.count() == 0)
      return i;
  }
  return std::nullopt;
}

}  // namespace

Result<bool> ServedFlows::refresh(Steady until) {
  const std::vector<FlowRegistry::Version> registered = registry_.versions();
  std::set<const FlowModule*> there, newest;
  for (const FlowRegistry::Version& each : registered) {
    there.insert(&*each.flow);
    if (each.newest) newest.insert(&*each.flow);
  }
  std::erase_if(flows_, [&](const auto& entry) { return !there.contains(&*entry.second.module); });
  std::erase_if(refused_, [&](const FlowHandle& module) { return !there.contains(&*module); });

  std::set<const FlowModule*> known;
  for (auto& [version, flow] : flows_) {
    flow.newest = newest.contains(&*flow.module);
    known.insert(&*flow.module);
  }
  for (const FlowHandle& module : refused_) known.insert(&*module);
  // The oldest version of a flow first, so that a new database numbers them in their order.
  for (const auto& [module, is_newest] : std::views::reverse(registered)) {
    if (known.contains(&*module)) continue;
    if (now_() >= until) return false;
    if (const auto entered = enter(module, is_newest); !entered) {
      if (is_away(entered.error())) return std::unexpected(entered.error());
      log_.error("flow {} is not served: {}", module->definition.slug().view(),
                 to_string(entered.error()));
      refused_.push_back(module);
    }
  }
  return true;
}

Result<void> ServedFlows::enter(const FlowHandle& module, bool newest) {
  const auto version = store_.register_version(module->definition);
  if (!version) return std::unexpected(version.error());
  const auto plugin = plugin_of(*module);
  if (!plugin) return std::unexpected(plugin.error());
  const std::string& slug = module->definition.slug().string();
  if (newest) {
    const auto limits = options_.limits.find(slug);
    const auto set =
        store_.set_limits(slug, limits == options_.limits.end() ? FlowLimits{} : limits->second);
    if (!set) return std::unexpected(set.error());
  }
  if (newest && options_.adopting.contains(slug))
    if (const auto adopted = adopt_older(*module, *version); !adopted) return adopted;

  Flow flow{.module = module,
            .options = {},
            .plugin = *plugin,
            .inputs = {},
            .first_step = {},
            .newest = newest};
  if (const auto& schema = module->definition.input_schema()) flow.inputs.emplace(*schema);
  const auto overrides = options_.overrides.find(slug);
  for (const StepDefinition& step : module->definition.steps())
    flow.options.push_back(
        overrides == options_.overrides.end()
            ? step.options
            : overridden(step.options, step.kind, step.slug.string(), overrides->second));
  flow.first_step = first_step_of(module->definition, flow.options);
  flows_.insert_or_assign(*version, std::move(flow));
  return {};
}

Result<std::optional<PluginId>> ServedFlows::plugin_of(const FlowModule& module) {
  const std::string& sha256 = module.file.sha256;
  if (sha256.empty()) return std::nullopt;
  if (const auto known = plugins_.find(sha256); known != plugins_.end()) return known->second;
  const auto plugin = store_.register_plugin(sha256, module.file.path);
  if (!plugin) return std::unexpected(plugin.error());
  plugins_.emplace(sha256, *plugin);
  return *plugin;
}

Result<void> ServedFlows::adopt_older(const FlowModule& module, VersionId version) {
  const auto adopted = store_.adopt_older(version);
  if (!adopted) return std::unexpected(adopted.error());
  for (const AdoptedVersion& older : *adopted)
    if (older.refusal)
      log_.warn("flow {}: open runs of version {} stay with it: {}",
                module.definition.slug().view(), older.version, *older.refusal);
    else
      log_.info("flow {}: {} of version {} moved to the new one, {} when a worker releases them",
                module.definition.slug().view(), plural(older.moved, "open run"), older.version,
                older.held);
  return {};
}

void ServedFlows::forget() {
  flows_.clear();
  refused_.clear();
  plugins_.clear();
}

const ServedFlows::Flow* ServedFlows::find(VersionId version) const {
  const auto found = flows_.find(version);
  return found == flows_.end() ? nullptr : &found->second;
}

std::map<VersionId, ServedVersion> ServedFlows::served(Steady now) const {
  std::map<VersionId, ServedVersion> versions;
  for (const auto& [version, flow] : flows_)
    versions.emplace(
        version, ServedVersion{.plugin = flow.plugin,
                               .barred = options_.quarantine &&
                                         options_.quarantine->barred(flow.module->file.sha256, now),
                               .offered = flow.newest,
                               .first_step = flow.first_step});
  return versions;
}

std::vector<std::string> ServedFlows::slugs() const {
  std::set<std::string> slugs;
  for (const auto& [version, flow] : flows_) slugs.insert(flow.module->definition.slug().string());
  return {slugs.begin(), slugs.end()};
}

}  // namespace weir
