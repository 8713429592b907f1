// Adoption of runs by versions: what adopt.sql, adopt_older.sql, incompatibility.sql and the view
// weir.versions do.
#include <algorithm>
#include <ranges>

#include <fmt/core.h>

#include "simulation/simulated_database.hpp"

namespace weir::simulation {
namespace {

// The first difference of a step apart from its kind and dependencies, "" when there is none.
std::string other_difference(const StepDefinition& step, const StepDefinition& old) {
  const auto text = [](const std::optional<Json>& pattern) {
    return pattern ? std::string(pattern->text()) : "none";
  };
  const auto differs = [&](std::string_view what, std::string_view now, std::string_view before) {
    return fmt::format("step \"{}\" has {} {}, it had {}", step.slug.view(), what, now, before);
  };
  const StepConditions& now = step.conditions;
  const StepConditions& was = old.conditions;
  if (now.only_if != was.only_if) return differs("only_if", text(now.only_if), text(was.only_if));
  if (now.unless != was.unless) return differs("unless", text(now.unless), text(was.unless));
  if (now.when_unmet != was.when_unmet)
    return differs("when_unmet", name(now.when_unmet), name(was.when_unmet));
  if (now.when_exhausted != was.when_exhausted)
    return differs("when_exhausted", name(now.when_exhausted), name(was.when_exhausted));
  if (step.signal != old.signal)
    return fmt::format("step \"{}\" waits for the signal \"{}\", it waited for \"{}\"",
                       step.slug.view(), step.signal, old.signal);
  if (step.child != old.child)
    return fmt::format("step \"{}\" starts flow \"{}\", it started \"{}\"", step.slug.view(),
                       step.child->view(), old.child->view());
  return {};
}

}  // namespace

VersionId SimulatedDatabase::adopted(VersionId version) const {
  const auto rule = tables_.adoptions.find(version);
  return rule == tables_.adoptions.end() ? version : rule->second;
}

std::int64_t SimulatedDatabase::move_adopted(VersionId from, VersionId to) {
  std::int64_t moved = 0;
  for (const auto& [run, open] : tables_.open_runs) {
    RunRow& row = tables_.runs.at(run);
    if (open.worker || row.version != from) continue;
    row.version = to;
    ++moved;
  }
  return moved;
}

// The first difference of steps, kinds, dependencies, conditions and the like, in the order of the
// new definition.
std::optional<std::string> SimulatedDatabase::incompatibility(VersionId from, VersionId to) const {
  const auto& before = *version(from).definition;
  const auto& after = *version(to).definition;
  const auto waits_for = [](const FlowDefinition& definition, const StepDefinition& step) {
    std::vector<std::string> slugs;
    for (const std::size_t each : step.depends_on)
      slugs.push_back('"' + definition.steps()[each].slug.string() + '"');
    std::ranges::sort(slugs);
    std::string text;
    for (const std::string& each : slugs) text += (text.empty() ? "" : ", ") + each;
    return text.empty() ? "nothing" : text;
  };
  std::map<std::pair<std::size_t, bool>, std::string> differences;
  for (std::size_t i = 0; i < after.steps().size(); ++i) {
    const StepDefinition& step = after.steps()[i];
    const auto at = before.find(step.slug.view());
    std::string& difference = differences[{i, false}];
    if (!at) {
      difference = fmt::format("step \"{}\" is new", step.slug.view());
      continue;
    }
    const StepDefinition& old = before.steps()[*at];
    if (old.kind != step.kind)
      difference = fmt::format("step \"{}\" is of kind {}, it was of kind {}", step.slug.view(),
                               name(step.kind), name(old.kind));
    else if (waits_for(before, old) != waits_for(after, step))
      difference = fmt::format("step \"{}\" waits for {}, it waited for {}", step.slug.view(),
                               waits_for(after, step), waits_for(before, old));
    else if (std::string other = other_difference(step, old); !other.empty())
      difference = std::move(other);
    else if (*at != i)
      difference = fmt::format("step \"{}\" has another position", step.slug.view());
  }
  for (std::size_t i = 0; i < before.steps().size(); ++i)
    if (const auto slug = before.steps()[i].slug.view(); !after.find(slug))
      differences[{i, true}] = fmt::format("step \"{}\" is gone", slug);
  for (const auto& [where, difference] : differences)
    if (!difference.empty()) return difference;
  return std::nullopt;
}

Result<Adoption> SimulatedDatabase::adopt(const std::string& slug, int from,
                                          std::optional<int> to) {
  commits();
  const FlowRow* const known = flow(slug);
  const auto id_of = [&](int number) -> std::optional<VersionId> {
    if (known == nullptr || number < 1 || static_cast<std::size_t>(number) > known->versions.size())
      return std::nullopt;
    return known->versions[static_cast<std::size_t>(number) - 1];
  };
  const auto old = id_of(from);
  if (!old) return std::unexpected(unknown_flow(slug, from));
  const auto target = to ? id_of(*to) : std::optional(version_for_starts(version(*old).flow));
  if (!target) return std::unexpected(unknown_flow(slug, *to));
  if (*old == *target)
    return std::unexpected(sim_error(
        ErrorCode::invalid_input, "invalid_input",
        fmt::format("version {} of flow \"{}\" is the one its runs continue with", from, slug),
        "name two versions"));
  if (const auto why = incompatibility(*old, *target))
    return std::unexpected(sim_error(
        ErrorCode::conflict, "incompatible_version",
        fmt::format("open runs of flow \"{}\" version {} cannot continue with version {}: {}", slug,
                    from, version(*target).number, *why),
        "they end with the version they began with, as long as a worker has it"));

  // A version that was adopted is never a target: rules are one step long.
  tables_.adoptions.erase(*target);
  for (auto& [each, follows] : tables_.adoptions)
    if (follows == *old) follows = *target;
  tables_.adoptions[*old] = *target;
  Adoption adoption{.version = version(*target).number};
  for (const auto& [each, follows] : tables_.adoptions) {
    if (follows != *target) continue;
    adoption.moved += move_adopted(each, follows);
    for (const auto& [run, open] : tables_.open_runs)
      if (tables_.runs.at(run).version == each) ++adoption.held;
  }
  if (adoption.moved > 0) wake_workers();
  return adoption;
}

std::vector<AdoptedVersion> SimulatedDatabase::adopt_older(VersionId id) {
  commits();
  std::vector<AdoptedVersion> results;
  if (!tables_.versions.contains(id)) return results;  // lost by a failover
  if (tables_.adoptions.contains(id)) return results;
  const VersionRow& newer = version(id);
  const std::string slug = slug_of(id);
  for (int number = 1; number < newer.number; ++number) {
    const VersionId older =
        tables_.flows.at(newer.flow).versions[static_cast<std::size_t>(number) - 1];
    const auto rule = tables_.adoptions.find(older);
    if (rule != tables_.adoptions.end() && rule->second == id) continue;
    if (std::ranges::none_of(tables_.open_runs, [&](const auto& open) {
          return tables_.runs.at(open.first).version == older;
        }))
      continue;
    AdoptedVersion adopted_version{.version = number};
    adopted_version.refusal = incompatibility(older, id);
    if (!adopted_version.refusal) {
      const auto adoption = adopt(slug, number, newer.number);
      adopted_version.moved = adoption->moved;
      adopted_version.held = adoption->held;
    }
    results.push_back(std::move(adopted_version));
  }
  return results;
}

std::vector<std::string> SimulatedDatabase::flows_with_open_runs() const {
  std::set<std::string> slugs;
  for (const auto& [run, open] : tables_.open_runs)
    slugs.insert(version(tables_.runs.at(run).version).definition->slug().string());
  return {slugs.begin(), slugs.end()};
}

std::vector<VersionReport> SimulatedDatabase::versions(const std::string& slug) const {
  std::vector<VersionReport> reports;
  const FlowRow* const known = flow(slug);
  if (known == nullptr) return reports;
  const VersionId for_starts = version_for_starts(version(known->versions.front()).flow);
  for (const VersionId id : known->versions | std::views::reverse) {
    const VersionRow& row = version(id);
    VersionReport report{.flow = slug,
                         .number = row.number,
                         .module = row.definition->module().string(),
                         .fingerprint = row.definition->fingerprint(),
                         .created_at = row.created_at};
    for (const auto& [run, open] : tables_.open_runs)
      if (tables_.runs.at(run).version == id) ++report.open_runs;
    std::set<std::string> plugins;
    for (const auto& [worker, served] : tables_.serving) {
      const auto serves = served.find(id);
      if (serves == served.end() || !is_alive(worker)) continue;
      ++(serves->second.barred ? report.quarantined : report.workers);
      if (serves->second.plugin) plugins.insert(tables_.plugins.at(*serves->second.plugin));
    }
    report.plugins.assign(plugins.begin(), plugins.end());
    if (const auto rule = tables_.adoptions.find(id); rule != tables_.adoptions.end())
      report.adopted_by = version(rule->second).number;
    report.takes_starts = id == for_starts;
    report.safe_to_remove = id != for_starts && report.open_runs == 0;
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace weir::simulation
