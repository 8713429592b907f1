// Limits (C6): what set_limits.sql, limit_key.sql, claim_limited.sql, charge_limits.sql and rate_*.sql
// do. Keys need no settling here: they are read from the inputs of the runs.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/core.h>

#include "simulation/jsonb.hpp"
#include "simulation/simulated_database.hpp"

namespace weir::simulation {
namespace {

using std::chrono::milliseconds;

// "100/1m"
Result<LimitRate> rate_of(const std::string& text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> units = {
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  std::int64_t count = 0, length = 0;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, count);
  if (first.ec == std::errc() && count > 0 && first.ptr != end && *first.ptr == '/') {
    const auto second = std::from_chars(first.ptr + 1, end, length);
    for (const auto& [unit, in_ms] : units)
      if (second.ec == std::errc() && length > 0 && std::string_view(second.ptr, end) == unit)
        return LimitRate{.count = count, .per = milliseconds(length * in_ms)};
  }
  return std::unexpected(
      sim_invalid(fmt::format("\"{}\" is no rate", text), "a count per interval, such as 100/1m"));
}

std::vector<std::string> path_of(const std::string& pointer) {
  std::vector<std::string> path;
  for (const char c : pointer)
    if (c == '/')
      path.emplace_back();
    else
      path.back() += c;
  return path;
}

std::int64_t rate_left(const std::optional<Time>& tat, const LimitRate& rate, Time now) {
  const std::chrono::duration<double> left = now + rate.per - std::max(tat.value_or(now), now);
  const std::chrono::duration<double> per = rate.per;
  return std::max<std::int64_t>(
      0,
      static_cast<std::int64_t>(std::floor(left / per * static_cast<double>(rate.count) + 0.0001)));
}

void use_rate(std::optional<Time>& tat, const LimitRate& rate, Time now) {
  tat = std::max(tat.value_or(now), now) + rate.per / rate.count;
}

// When the rate allows the next one.
Time allows_at(const std::optional<Time>& tat, const LimitRate& rate) {
  return *tat + rate.per / rate.count - rate.per;
}

void sooner(std::optional<Time>& next, Time time) {
  if (!next || time < *next) next = time;
}

}  // namespace

std::string limit_key(const std::vector<std::string>& path, const Json& input) {
  std::optional<Json> at = input;
  for (const std::string& name : path) {
    std::optional<Json> found;
    if (at->type() == JsonType::object)
      for (auto& [key, member] : at->members())
        if (key == name) found = member;
    at = std::move(found);
    if (!at) return "-";
  }
  if (at->type() == JsonType::null) return "-";
  return "=" + (at->type() == JsonType::string ? at->decoded() : std::string(as_jsonb(*at).text()));
}

Result<void> SimulatedDatabase::set_limits(const std::string& slug, const FlowLimits& wanted,
                                           bool by_config) {
  commits();
  const auto known = std::ranges::find_if(
      tables_.flows, [&](const auto& entry) { return entry.second.slug == slug; });
  if (known == tables_.flows.end()) return std::unexpected(unknown_flow(slug, {}));
  for (const auto& limit : {wanted.max_running, wanted.key_max_running})
    if (limit && *limit < 1)
      return std::unexpected(sim_invalid(fmt::format("max_running: {} is out of range", *limit),
                                         "from 1; null for no limit; to stop a flow, weir.pause"));
  if (!wanted.key && (wanted.key_max_running || wanted.key_rate))
    return std::unexpected(
        sim_invalid("limits for a key without a key", "key: a JSON pointer such as /customer_id"));
  if (wanted.key && !wanted.key->starts_with('/'))
    return std::unexpected(sim_invalid(fmt::format("key: \"{}\" is no JSON pointer", *wanted.key),
                                       "such as /customer_id or /order/customer"));
  FlowLimitRow row{
      .limits = wanted, .path = path_of(wanted.key.value_or("")), .by_config = by_config};
  for (const auto& [text, rate] : {std::pair(&wanted.rate, &row.rate.emplace()),
                                   std::pair(&wanted.key_rate, &row.key_rate.emplace())}) {
    if (!*text) continue;
    const auto read = rate_of(**text);
    if (!read) return std::unexpected(read.error());
    *rate = *read;
  }
  if (!wanted.rate) row.rate.reset();
  if (!wanted.key_rate) row.key_rate.reset();
  const auto before = tables_.limits.find(known->first);
  if (wanted.max_running || wanted.rate || wanted.key_max_running || wanted.key_rate) {
    if (before != tables_.limits.end() && before->second.limits == wanted &&
        before->second.by_config == by_config)
      return {};
    if (before != tables_.limits.end()) row.turn = before->second.turn;
    tables_.limits.insert_or_assign(known->first, std::move(row));
  } else {
    // The configuration is silent: what a command has set stays.
    if (before == tables_.limits.end() || (by_config && !before->second.by_config)) return {};
    tables_.limits.erase(before);
  }
  witness_->limited(known->first);
  environment_.notify_ready();
  return {};
}

std::int64_t SimulatedDatabase::places_left(FlowId flow, const std::optional<std::int64_t>& limit,
                                            const std::vector<std::string>* path,
                                            const std::string& key) const {
  constexpr auto any = std::numeric_limits<std::int64_t>::max();
  if (!limit || environment_.mistake == Mistake::places_uncounted) return any;
  std::int64_t held = 0;
  for (const auto& [run, open] : tables_.open_runs) {
    const RunRow& row = tables_.runs.at(run);
    if (open.worker && version(row.version).flow == flow &&
        (path == nullptr || limit_key(*path, row.input) == key))
      ++held;
  }
  return *limit - held;
}

// Which of the waiting runs of a flow its limits allow to be claimed; `next_at` is when they allow
// more.
std::vector<RunKey> SimulatedDatabase::allowed_runs(FlowId flow, const std::vector<RunKey>& waiting,
                                                    std::size_t claims_max,
                                                    std::optional<Time>& next_at) {
  FlowLimitRow& limit = tables_.limits.at(flow);
  auto places = static_cast<std::int64_t>(claims_max);
  places = std::min(places, places_left(flow, limit.limits.max_running, nullptr, ""));
  if (places <= 0 || waiting.empty()) return {};
  if (limit.rate) {
    const std::int64_t left = rate_left(limit.tat, *limit.rate, now());
    if (left == 0) sooner(next_at, allows_at(limit.tat, *limit.rate));
    places = std::min(places, left);
  }
  if (places <= 0) return {};
  if (!limit.limits.key)
    return {waiting.begin(),
            waiting.begin() + std::min(places, static_cast<std::int64_t>(waiting.size()))};

  std::map<std::string, std::vector<RunKey>> by_key;  // in the order of `waiting`
  for (const RunKey run : waiting)
    by_key[limit_key(limit.path, tables_.runs.at(run).input)].push_back(run);
  std::vector<std::string> in_turn;
  for (auto each = by_key.upper_bound(limit.turn); each != by_key.end(); ++each)
    in_turn.push_back(each->first);
  for (auto each = by_key.begin(); each != by_key.upper_bound(limit.turn); ++each)
    in_turn.push_back(each->first);

  using Place = std::tuple<int, std::size_t, std::size_t, RunKey>;  // priority, turn, place of key
  std::vector<Place> allowed;
  std::vector<std::string> served;
  for (const std::string& key : in_turn) {
    std::int64_t left = places;
    if (key != "-") {
      left = std::min(left, places_left(flow, limit.limits.key_max_running, &limit.path, key));
      if (limit.key_rate && left > 0) {
        const auto& tat = limit.key_tats[key];
        left = std::min(left, rate_left(tat, *limit.key_rate, now()));
        if (left == 0) sooner(next_at, allows_at(tat, *limit.key_rate));
      }
    }
    if (left <= 0) continue;
    const std::vector<RunKey>& runs = by_key.at(key);
    for (std::size_t i = 0; i < runs.size() && static_cast<std::int64_t>(i) < left; ++i)
      allowed.emplace_back(-tables_.runs.at(runs[i]).priority, i, served.size(), runs[i]);
    served.push_back(key);
    if (static_cast<std::int64_t>(served.size()) >= places) break;
  }
  if (!served.empty()) limit.turn = served[static_cast<std::size_t>(places - 1) % served.size()];
  std::ranges::sort(allowed);
  allowed.resize(std::min(allowed.size(), static_cast<std::size_t>(places)));
  std::vector<RunKey> runs;
  for (const Place& each : allowed) runs.push_back(std::get<3>(each));
  return runs;
}

void SimulatedDatabase::charge_limits(const std::vector<RunKey>& claimed) {
  if (environment_.mistake == Mistake::rates_uncharged) return;
  for (const RunKey run : claimed) {
    const RunRow& row = tables_.runs.at(run);
    const auto found = tables_.limits.find(version(row.version).flow);
    if (found == tables_.limits.end()) continue;
    FlowLimitRow& limit = found->second;
    if (limit.rate) use_rate(limit.tat, *limit.rate, now());
    const std::string key = limit_key(limit.path, row.input);
    if (limit.key_rate && key != "-") use_rate(limit.key_tats[key], *limit.key_rate, now());
  }
}

// A run under limits is released or over: workers that wait for its place claim at once.
void SimulatedDatabase::free_place(RunKey run) {
  if (tables_.limits.contains(version(tables_.runs.at(run).version).flow))
    environment_.notify_ready();
}

}  // namespace weir::simulation
