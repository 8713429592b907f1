#include "unit/run/random_flow.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

namespace weir {
namespace {

std::string random_fallback(Random& random) {
  constexpr std::array<const char*, 3> names = {"fail", "skip", "skip_cascade"};
  return names.at(below(names.size(), random));
}

std::string random_kind(Random& random) {
  constexpr std::array<const char*, 8> names = {"single", "single", "single", "map",
                                                "map",    "map",    "wait",   "flow"};
  return names.at(below(names.size(), random));
}

const Json& random_pattern(Random& random) {
  static const std::vector<Json> patterns = {
      json(R"({"ok": true})"), json("{}"), json("[]"), json("[1]"), json("1.0"), json("null")};
  return patterns[below(patterns.size(), random)];
}

// One that holds more often than not.
Json random_condition(const FlowDraft::Step& step, const std::vector<FlowDraft::Step>& before,
                      Random& random) {
  if (step.depends_on.empty()) return random_pattern(random);
  std::vector<std::pair<std::string, Json>> members;
  for (const std::string& dependency : step.depends_on) {
    if (one_in(2, random)) continue;
    const auto source = std::ranges::find(before, dependency, &FlowDraft::Step::slug);
    members.emplace_back(dependency, source->kind != "wait" ? random_pattern(random)
                                     : one_in(2, random)    ? json(R"({"signalled": true})")
                                                            : json(R"({"signalled": false})"));
  }
  return Json::object(members);
}

void add_options(FlowDraft::Step& step, Random& random) {
  if (one_in(8, random)) step.options.start_delay_ms = 5'000;
  if (step.kind == "wait") {
    step.options.timeout_ms = static_cast<std::int64_t>(1 + below(10'000, random));
    return;
  }
  if (one_in(2, random)) step.when_exhausted = random_fallback(random);
  if (step.kind == "flow") {
    step.flow = "child";
    return;
  }
  step.options.max_attempts = 1 + static_cast<std::int64_t>(below(4, random));
  step.options.base_delay_ms = static_cast<std::int64_t>(below(3, random) * 1'000);
}

std::size_t random_size(Random& random) {
  return 1 + below(one_in(400, random) ? 200 : one_in(50, random) ? 40 : 10, random);
}

}  // namespace

std::size_t below(std::size_t limit, Random& random) { return random() % limit; }

bool one_in(std::size_t times, Random& random) { return below(times, random) == 0; }

Json random_json(Random& random) {
  static const std::vector<Json> values = {
      Json(),    Json::string("text"),    json(R"({"a": [1, {}]})"), json(R"({"ok": true})"),
      json("1"), json(R"({"ok":false})"), json("[1, [2]]")};
  if (one_in(8, random)) return random_array(random);
  return values[below(values.size(), random)];
}

Json random_array(Random& random) {
  std::vector<Json> elements;
  for (std::size_t count = below(5, random); count > 0; --count)
    elements.push_back(one_in(4, random) ? Json() : Json::number(static_cast<int>(count)));
  return Json::array(elements);
}

FlowDraft random_draft(Random& random) {
  std::vector<std::size_t> names(random_size(random));
  std::iota(names.begin(), names.end(), 0);
  std::ranges::shuffle(names, random);
  std::vector<FlowDraft::Step> steps;
  for (const std::size_t name : names) {
    FlowDraft::Step next = step(fmt::format("s{}", name));
    next.kind = random_kind(random);
    const bool narrow = next.kind == "map" || next.kind == "flow";
    std::size_t dependencies = below(narrow ? 2 : 4, random);
    for (std::size_t before = 0; before < steps.size() && dependencies > 0; ++before) {
      if (!one_in(1 + steps.size() / 2, random)) continue;
      if (next.kind == "map" && steps[before].kind == "wait") continue;
      next.depends_on.push_back(steps[before].slug);
      --dependencies;
    }
    add_options(next, random);
    if (one_in(6, random)) next.only_if = random_condition(next, steps, random);
    if (one_in(8, random)) next.unless = random_condition(next, steps, random);
    if ((next.only_if || next.unless) && one_in(2, random))
      next.when_unmet = random_fallback(random);
    steps.push_back(std::move(next));
  }
  return flow(std::move(steps));
}

FlowDefinition random_flow(Random& random) { return built(random_draft(random)); }

}  // namespace weir
