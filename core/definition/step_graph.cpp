#include "definition/step_graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>
#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace {

using Edges = std::vector<std::vector<std::size_t>>;

// The shortest cycle along `edges` that begins at `start`, which is not repeated at its end; empty
// when there is none.
std::vector<std::size_t> shortest_cycle(const Edges& edges, std::size_t start) {
  const std::size_t unseen = edges.size();
  std::vector<std::size_t> came_from(edges.size(), unseen);
  std::queue<std::size_t> frontier({start});
  while (!frontier.empty()) {
    const std::size_t at = frontier.front();
    frontier.pop();
    for (const std::size_t next : edges[at]) {
      if (next == start) {
        std::vector<std::size_t> cycle{at};
        while (cycle.back() != start) cycle.push_back(came_from[cycle.back()]);
        std::ranges::reverse(cycle);
        return cycle;
      }
      if (came_from[next] != unseen) continue;
      came_from[next] = at;
      frontier.push(next);
    }
  }
  return {};
}

std::string_view slug_of(const StepGraph::Step& step) { return step.draft->slug; }

}  // namespace

StepGraph::StepGraph(const FlowDraft& draft) {
  for (const FlowDraft::Step& step : draft.steps) steps_.push_back({&step, {}, {}});
  std::ranges::sort(steps_, {},
                    [](const Step& step) { return std::pair(slug_of(step), step.draft); });
  for (std::size_t own = 0; own < steps_.size(); ++own) {
    std::vector<std::size_t>& depends_on = steps_[own].depends_on;
    for (const std::string_view wanted : steps_[own].draft->depends_on) {
      const auto found = std::ranges::lower_bound(steps_, wanted, {}, slug_of);
      if (found == steps_.end() || slug_of(*found) != wanted || wanted == slug_of(steps_[own]))
        continue;
      depends_on.push_back(static_cast<std::size_t>(found - steps_.begin()));
    }
    for (const std::size_t dependency : depends_on) steps_[dependency].dependents.push_back(own);
  }
  WEIR_DEBUG_ASSERT(std::ranges::all_of(
      steps_, [](const Step& step) { return std::ranges::is_sorted(step.dependents); }));
}

const FlowDraft::Step* StepGraph::find(std::string_view slug) const noexcept {
  const auto found = std::ranges::lower_bound(steps_, slug, {}, slug_of);
  return found == steps_.end() || slug_of(*found) != slug ? nullptr : found->draft;
}

std::vector<std::size_t> StepGraph::order() const {
  std::vector<std::size_t> waits_for;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    waits_for.push_back(steps_[i].depends_on.size());
    if (waits_for[i] == 0) ready.push(i);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const std::size_t dependent : steps_[order.back()].dependents)
      if (--waits_for[dependent] == 0) ready.push(dependent);
  }
  return order;
}

std::vector<std::vector<std::size_t>> StepGraph::cycles(std::size_t count_max) const {
  std::vector<std::vector<std::size_t>> found;
  if (order().size() == steps_.size()) return found;
  Edges edges;
  for (const Step& step : steps_) edges.push_back(step.dependents);
  for (std::size_t start = 0; start < edges.size(); ++start) {
    while (found.size() < count_max) {
      std::vector<std::size_t> cycle = shortest_cycle(edges, start);
      if (cycle.empty()) break;
      for (std::size_t i = 0; i < cycle.size(); ++i)
        std::erase(edges[cycle[i]], cycle[(i + 1) % cycle.size()]);
      found.push_back(std::move(cycle));
    }
  }
  return found;
}

}  // namespace weir
