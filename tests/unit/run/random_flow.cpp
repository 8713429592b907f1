#include "unit/run/random_flow.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"

namespace weir {

std::size_t below(std::size_t limit, Random& random) { return random() % limit; }

bool one_in(std::size_t times, Random& random) { return below(times, random) == 0; }

Json random_json(Random& random) {
  switch (below(6, random)) {
    case 0:
      return {};
    case 1:
      return Json::string("text");
    case 2:
      return json(R"({"a": [1, {}]})");
    case 3:
      return random_array(random);
    default:
      return Json::number(static_cast<std::int64_t>(random() >> 1U));
  }
}

Json random_array(Random& random) {
  std::vector<Json> elements;
  for (std::size_t count = below(5, random); count > 0; --count)
    elements.push_back(one_in(4, random) ? Json() : Json::number(static_cast<int>(count)));
  return Json::array(elements);
}

FlowDefinition random_flow(Random& random) {
  std::vector<std::size_t> names(1 + below(40, random));
  std::iota(names.begin(), names.end(), 0);
  std::ranges::shuffle(names, random);
  std::vector<FlowDraft::Step> steps;
  for (const std::size_t name : names) {
    FlowDraft::Step next = step(fmt::format("s{}", name));
    if (one_in(3, random)) next.kind = "map";
    std::size_t dependencies = below(next.kind == "map" ? 2 : 4, random);
    for (std::size_t before = 0; before < steps.size() && dependencies > 0; ++before) {
      if (!one_in(1 + steps.size() / 2, random)) continue;
      next.depends_on.push_back(steps[before].slug);
      --dependencies;
    }
    next.options.max_attempts = 1 + static_cast<std::int64_t>(below(4, random));
    next.options.base_delay_ms = static_cast<std::int64_t>(below(3, random) * 1'000);
    if (one_in(8, random)) next.options.start_delay_ms = 5'000;
    steps.push_back(std::move(next));
  }
  return built(flow(std::move(steps)));
}

}  // namespace weir
