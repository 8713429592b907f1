// Definitions and starts: what register_version.sql, version_to_start.sql, make_runs.sql and
// start_many.sql do.
#include <algorithm>
#include <ranges>

#include <fmt/core.h>

#include "definition/input_schema.hpp"
#include "simulation/jsonb.hpp"
#include "simulation/simulated_database.hpp"

namespace weir::simulation {
Result<VersionId> SimulatedDatabase::register_version(const FlowDefinition& definition) {
  commits();
  auto known = std::ranges::find_if(tables_.flows, [&](const auto& entry) {
    return folded(entry.second.slug) == definition.slug().folded();
  });
  if (known == tables_.flows.end())
    known = tables_.flows
                .emplace(++last_flow_, FlowRow{.slug = definition.slug().string(), .versions = {}})
                .first;
  FlowRow& flow = known->second;
  if (flow.slug != definition.slug().view())
    return std::unexpected(
        sim_error(ErrorCode::conflict, "duplicate_slug",
                  fmt::format("slug \"{}\" differs only in case from flow \"{}\" of this database",
                              definition.slug().view(), flow.slug),
                  "rename one of them"));
  for (const VersionId id : flow.versions) {
    VersionRow& row = tables_.versions.at(id);
    if (row.definition->fingerprint() != definition.fingerprint()) continue;
    row.definition = std::make_shared<FlowDefinition>(definition);
    return id;
  }
  const VersionId id = ++last_version_;
  flow.versions.push_back(id);
  tables_.versions.emplace(id,
                           VersionRow{.flow = known->first,
                                      .number = static_cast<int>(flow.versions.size()),
                                      .definition = std::make_shared<FlowDefinition>(definition),
                                      .created_at = now()});
  return id;
}

const FlowRow* SimulatedDatabase::flow(const std::string& slug) const {
  for (const auto& [id, row] : tables_.flows)
    if (row.slug == slug) return &row;
  return nullptr;
}

Error SimulatedDatabase::unknown_flow(const std::string& slug, std::optional<int> number) const {
  std::string hint;
  if (const FlowRow* const known = flow(slug)) {
    hint = fmt::format("the newest version is {}", known->versions.size());
  } else {
    std::vector<std::string> slugs;
    for (const auto& [id, row] : tables_.flows) slugs.push_back(row.slug);
    std::ranges::sort(slugs);
    for (const std::string& each : slugs) hint += (hint.empty() ? "known flows: " : ", ") + each;
    if (hint.empty()) hint = "no flow is registered yet: a worker registers those it has loaded";
  }
  return sim_error(ErrorCode::not_found, "not_found",
                   number ? fmt::format("no flow \"{}\" version {} in this database", slug, *number)
                          : fmt::format("no flow \"{}\" in this database", slug),
                   std::move(hint));
}

Result<VersionId> SimulatedDatabase::version_to_start(const std::string& slug,
                                                      std::optional<int> number) const {
  const FlowRow* const known = flow(slug);
  const std::size_t count = known == nullptr ? 0 : known->versions.size();
  if (count == 0 || (number && (*number < 1 || static_cast<std::size_t>(*number) > count)))
    return std::unexpected(unknown_flow(slug, number));
  if (number) return adopted(known->versions[static_cast<std::size_t>(*number) - 1]);
  return version_for_starts(version(known->versions.front()).flow);
}

std::optional<VersionId> SimulatedDatabase::offered_version(FlowId flow) const {
  for (const VersionId version : tables_.flows.at(flow).versions | std::views::reverse)
    for (const auto& [worker, served] : tables_.serving)
      if (const auto at = served.find(version);
          at != served.end() && at->second.offered && is_alive(worker))
        return version;
  return std::nullopt;
}

VersionId SimulatedDatabase::version_for_starts(FlowId flow) const {
  const FlowRow& row = tables_.flows.at(flow);
  const auto offered = offered_version(flow);
  return adopted(offered ? *offered : row.last_offered.value_or(row.versions.back()));
}

Result<void> SimulatedDatabase::check_input(VersionId id, const Json& input) const {
  const FlowDefinition& definition = *version(id).definition;
  if (definition.maps_over_input() && input.type() != JsonType::array)
    return std::unexpected(
        sim_invalid(fmt::format("flow \"{}\" maps over its input, which must be an array, not {}",
                                slug_of(id), described(input.type())),
                    "give one element for each task"));
  const auto& schema = definition.input_schema();
  return schema ? weir::check_input(*schema, input) : Result<void>();
}

Result<std::vector<StartedRun>> SimulatedDatabase::start(const std::string& slug,
                                                         const std::vector<Json>& inputs,
                                                         const StartOptions& options) {
  commits();
  const auto version = version_to_start(slug, options.version);
  if (!version) return std::unexpected(version.error());
  if (options.priority < -100 || options.priority > 100)
    return std::unexpected(sim_invalid(fmt::format("priority {} is out of range", options.priority),
                                       "from -100 to 100"));
  constexpr std::chrono::milliseconds delay_max = std::chrono::years(1000);
  if (options.delay && (*options.delay > delay_max || *options.delay < -delay_max))
    return std::unexpected(sim_invalid("delay: out of range", "at most 1000 years"));
  if (options.at && (*options.at < std::chrono::sys_days(std::chrono::year(1) / 1 / 1) ||
                     *options.at >= on_notification_only))
    return std::unexpected(sim_invalid("at: out of range", "a time in the years 1 to 9999"));
  for (const auto& [what, given] :
       {std::pair("keys", &options.idempotency_keys), std::pair("run_ids", &options.run_ids)})
    if (!given->empty() && given->size() != inputs.size())
      return std::unexpected(
          sim_invalid(fmt::format("{}: {} for {} inputs", what, given->size(), inputs.size()),
                      "give none, or one for each input"));
  for (const std::string& key : options.idempotency_keys)
    if (key.empty() || key.size() > 255)
      return std::unexpected(sim_invalid(fmt::format("an idempotency key of {} bytes", key.size()),
                                         "from 1 to 255 bytes"));
  for (const Json& input : inputs)
    if (const auto fits = check_input(*version, input); !fits) return std::unexpected(fits.error());
  for (const std::string& id : options.run_ids)
    if (tables_.run_ids.contains(id))
      return std::unexpected(sim_error(ErrorCode::conflict, "already_exists",
                                       "a run " + id + " exists", "choose another id"));

  const Time begun = now();
  const Time available_at =
      options.at ? *options.at : begun + options.delay.value_or(std::chrono::milliseconds(0));
  const FlowId flow_id = this->version(*version).flow;
  std::vector<StartedRun> started;
  bool created = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string* const key =
        options.idempotency_keys.empty() ? nullptr : &options.idempotency_keys[i];
    if (key != nullptr)
      if (const auto known = tables_.idempotency.find({flow_id, *key});
          known != tables_.idempotency.end()) {
        started.push_back({.id = tables_.runs.at(known->second).id, .created = false});
        continue;
      }
    const std::string id = options.run_ids.empty() ? new_run_id() : options.run_ids[i];
    const RunKey run =
        make_run(*version, inputs[i], id, begun, available_at, options.priority, options.tags);
    if (key != nullptr) tables_.idempotency.emplace(std::pair(flow_id, *key), run);
    started.push_back({.id = id, .created = true});
    created = true;
  }
  if (created && available_at <= now()) wake_workers();
  return started;
}

RunKey SimulatedDatabase::make_run(VersionId version, const Json& input, const std::string& id,
                                   Time created_at, Time available_at, int priority,
                                   const std::vector<std::string>& tags,
                                   std::optional<ParentLink> parent) {
  const RunKey run = ++last_run_;
  RunRow row;
  row.id = id;
  row.version = version;
  row.priority = priority;
  row.input = as_jsonb(input);
  row.tags = tags;
  row.created_at = created_at;
  row.available_at = available_at;
  row.parent = parent;
  tables_.runs.emplace(run, std::move(row));
  tables_.run_ids.emplace(id, run);
  if (parent) tables_.children.emplace(*parent, run);
  OpenRunRow open;
  if (available_at > now()) open.wake_at = available_at;
  tables_.open_runs.emplace(run, std::move(open));
  witness_->opened(run);
  return run;
}

// UUIDv7.
std::string SimulatedDatabase::new_run_id() {
  const auto milliseconds = static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::milliseconds>(now()).time_since_epoch().count());
  const std::uint64_t a = environment_.random();
  const std::uint64_t b = environment_.random();
  return fmt::format("{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}", milliseconds >> 16U,
                     milliseconds & 0xFFFFU, a & 0xFFFU, 0x8000U | ((a >> 12U) & 0x3FFFU),
                     b & 0xFFFF'FFFF'FFFFU);
}

}  // namespace weir::simulation
