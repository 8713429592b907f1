#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weir::cli {

struct DagNode {
  std::string label;
  std::vector<std::size_t> depends_on;  ///< positions in the same list, all smaller than its own
};

/// Places for a graph drawn from left to right in layers (after Sugiyama, Tagawa and Toda 1981).
/// Nodes that wait for the same set share one bar, a vertical line: everything that enters it from
/// the left feeds everything that leaves it to the right. So a reader never has to distinguish
/// lines, however many there are.
struct DagLayout {
  struct Place {
    std::optional<std::size_t> node;  ///< absent: a line that passes through to a later layer
    std::size_t row = 0;
    std::vector<std::size_t> parents;  ///< positions in the layer before, ascending
  };
  struct Bar {
    std::vector<std::size_t> sources;  ///< positions in the layer before it
    std::vector<std::size_t> targets;  ///< positions in the layer after it
    /// From 0, left to right; absent: one straight line without a bar.
    std::optional<std::size_t> column{};
    std::size_t top = 0, bottom = 0;  ///< rows, inclusive
  };
  struct Layer {
    std::vector<Place> places;    ///< from top to bottom
    std::vector<Bar> bars;        ///< between the layer before and this one; none for the first
    std::size_t bar_columns = 0;  ///< how many columns the bars take
  };
  std::vector<Layer> layers;
  std::size_t rows = 0;
};

/// Deterministic: the same graph always gets the same places. Cost: about nodes × layers.
DagLayout layout(std::span<const DagNode> nodes);

}  // namespace weir::cli
