#include "cli/views/dag_layout.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace weir::cli {
namespace {

using Layer = DagLayout::Layer;
using Place = DagLayout::Place;
using Bar = DagLayout::Bar;

// Puts each node into the layer after its last dependency; an edge over several layers gets a place
// in each layer between.
std::vector<Layer> layered(std::span<const DagNode> nodes) {
  std::vector<std::size_t> first(nodes.size(), 0), last(nodes.size(), 0);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const std::size_t parent : nodes[i].depends_on)
      first[i] = std::max(first[i], first[parent] + 1);
  last = first;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (const std::size_t parent : nodes[i].depends_on)
      last[parent] = std::max(last[parent], first[i] - 1);

  std::vector<Layer> layers(nodes.empty() ? 0 : 1 + *std::ranges::max_element(first));
  // The position of each node, or of its line, in the layer before.
  std::vector<std::size_t> latest(nodes.size(), 0);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    std::vector<std::pair<std::size_t, std::size_t>> placed;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (k < first[i] || k > last[i]) continue;
      Place place;
      if (k == first[i]) {
        place.node = i;
        for (const std::size_t parent : nodes[i].depends_on)
          place.parents.push_back(latest[parent]);
      } else {
        place.parents.push_back(latest[i]);
      }
      std::ranges::sort(place.parents);
      placed.emplace_back(i, layers[k].places.size());
      layers[k].places.push_back(std::move(place));
    }
    for (const auto& [node, position] : placed) latest[node] = position;
  }
  return layers;
}

// A place that feeds several bars would make an ambiguous crossing: it is replaced by one place for
// each bar, in a layer of their own between the two.
std::vector<Layer> split(std::vector<Layer> layers) {
  std::vector<Layer> all;
  for (Layer& layer : layers) {
    std::map<std::size_t, std::set<std::vector<std::size_t>>> fed;  // source → the bars it feeds
    for (const Place& place : layer.places)
      for (const std::size_t parent : place.parents) fed[parent].insert(place.parents);
    if (std::ranges::any_of(fed, [](const auto& each) { return each.second.size() > 1; })) {
      Layer between;
      std::map<std::pair<std::size_t, std::vector<std::size_t>>, std::size_t> moved;
      for (const auto& [source, bars] : fed)
        for (const std::vector<std::size_t>& bar : bars) {
          moved[{source, bar}] = between.places.size();
          between.places.push_back({.node = std::nullopt, .parents = {source}});
        }
      for (Place& place : layer.places) {
        const std::vector<std::size_t> bar = place.parents;
        for (std::size_t& parent : place.parents) parent = moved.at({parent, bar});
        std::ranges::sort(place.parents);
      }
      all.push_back(std::move(between));
    }
    all.push_back(std::move(layer));
  }
  return all;
}

void reorder(std::vector<Layer>& layers, std::size_t k, const std::vector<double>& weights) {
  std::vector<Place>& places = layers[k].places;
  std::vector<std::size_t> order(places.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(weights[i], i); });

  std::vector<Place> sorted;
  std::vector<std::size_t> now(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    now[order[i]] = i;
    sorted.push_back(std::move(places[order[i]]));
  }
  places = std::move(sorted);
  if (k + 1 == layers.size()) return;
  for (Place& child : layers[k + 1].places) {
    for (std::size_t& parent : child.parents) parent = now[parent];
    std::ranges::sort(child.parents);
  }
}

// Reduces crossings: moves every node to the mean position of its neighbours, layer by layer, in
// both directions.
void untangle(std::vector<Layer>& layers) {
  const auto by_parents = [&](std::size_t k) {
    std::vector<double> weights;
    for (const Place& place : layers[k].places)
      weights.push_back(std::accumulate(place.parents.begin(), place.parents.end(), 0.0) /
                        static_cast<double>(place.parents.size()));
    reorder(layers, k, weights);
  };
  const auto by_children = [&](std::size_t k) {
    std::vector<double> sum(layers[k].places.size(), 0), count(layers[k].places.size(), 0);
    for (std::size_t child = 0; child < layers[k + 1].places.size(); ++child)
      for (const std::size_t parent : layers[k + 1].places[child].parents) {
        sum[parent] += static_cast<double>(child);
        ++count[parent];
      }
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] = count[i] > 0 ? sum[i] / count[i] : static_cast<double>(i);
    reorder(layers, k, sum);
  };
  constexpr int sweeps = 4;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (std::size_t k = 1; k < layers.size(); ++k) by_parents(k);
    for (std::size_t k = layers.size(); k-- > 1;) by_children(k - 1);
  }
  for (std::size_t k = 1; k < layers.size(); ++k) by_parents(k);
}

std::vector<Bar> bars_of(const Layer& before, const Layer& layer) {
  std::map<std::vector<std::size_t>, std::vector<std::size_t>> by_parents;
  for (std::size_t i = 0; i < layer.places.size(); ++i)
    by_parents[layer.places[i].parents].push_back(i);
  std::vector<Bar> bars;
  for (auto& [sources, targets] : by_parents) {
    Bar bar{.sources = sources, .targets = std::move(targets)};
    bar.top = std::min(before.places[sources.front()].row, layer.places[bar.targets.front()].row);
    bar.bottom = std::max(before.places[sources.back()].row, layer.places[bar.targets.back()].row);
    bars.push_back(std::move(bar));
  }
  return bars;
}

// A line that leaves `bar` in a row where another enters `other` would look like one line, unless
// `other` is to the left of `bar`. Returns the target that causes this, if any.
std::optional<std::size_t> must_follow(const Layer& before, const Layer& layer, const Bar& bar,
                                       const Bar& other) {
  for (const std::size_t target : bar.targets)
    for (const std::size_t source : other.sources)
      if (layer.places[target].row == before.places[source].row) return target;
  return std::nullopt;
}

bool overlap(const Bar& a, const Bar& b) { return a.top <= b.bottom && b.top <= a.bottom; }

// Assigns a column to every bar. When bars would have to be left of each other in a cycle, this is
// impossible: then it returns a target that must be moved to another row.
std::optional<std::size_t> assign_columns(const Layer& before, Layer& layer) {
  std::vector<Bar>& bars = layer.bars;
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < bars.size(); ++i)
    if (bars[i].top != bars[i].bottom) waiting.push_back(i);
  layer.bar_columns = 0;
  while (!waiting.empty()) {
    std::optional<std::size_t> in_the_way;
    const auto next = std::ranges::find_if(waiting, [&](std::size_t i) {
      return std::ranges::none_of(waiting, [&](std::size_t j) {
        const auto target = i == j ? std::nullopt : must_follow(before, layer, bars[i], bars[j]);
        if (target) in_the_way = target;
        return target.has_value();
      });
    });
    if (next == waiting.end()) return in_the_way;
    Bar& bar = bars[*next];
    std::size_t column = 0;
    for (const Bar& other : bars)
      if (&other != &bar && other.column && must_follow(before, layer, bar, other))
        column = std::max(column, *other.column + 1);
    while (std::ranges::any_of(
        bars, [&](const Bar& other) { return other.column == column && overlap(bar, other); }))
      ++column;
    bar.column = column;
    layer.bar_columns = std::max(layer.bar_columns, column + 1);
    waiting.erase(next);
  }
  return std::nullopt;
}

// Assigns rows in a layer: that of the topmost parent if it is free, else the next one below.
void place_rows(const Layer& before, Layer& layer) {
  std::set<std::pair<std::size_t, std::size_t>> barred;  // target, row
  for (;;) {
    std::size_t free = 0;
    for (std::size_t i = 0; i < layer.places.size(); ++i) {
      Place& place = layer.places[i];
      place.row = std::max(free, before.places[place.parents.front()].row);
      while (barred.contains({i, place.row})) ++place.row;
      free = place.row + 1;
    }
    layer.bars = bars_of(before, layer);
    const auto in_the_way = assign_columns(before, layer);
    if (!in_the_way) return;
    barred.emplace(*in_the_way, layer.places[*in_the_way].row);
  }
}

}  // namespace

DagLayout layout(std::span<const DagNode> nodes) {
  DagLayout drawn{.layers = split(layered(nodes))};
  untangle(drawn.layers);
  for (std::size_t k = 0; k < drawn.layers.size(); ++k) {
    std::vector<Place>& places = drawn.layers[k].places;
    if (k == 0)
      for (std::size_t i = 0; i < places.size(); ++i) places[i].row = i;
    else
      place_rows(drawn.layers[k - 1], drawn.layers[k]);
    drawn.rows = std::max(drawn.rows, places.back().row + 1);
  }
  return drawn;
}

}  // namespace weir::cli
