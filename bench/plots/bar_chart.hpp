#pragma once
#include <string>
#include <vector>

namespace weir::bench {

/// Horizontal bars in groups, each with its figure beside it. Each group has a scale of its own:
/// its longest bar is as long as there is room.
struct BarChart {
  enum class Tone { ours, ours_faint, other, other_faint };
  struct Bar {
    std::string label;
    double value = 0;
    Tone tone = Tone::other;
  };
  struct Group {
    std::string title;
    std::vector<Bar> bars;
  };

  std::string title;
  std::string caption;  ///< a line below; may be empty
  std::vector<Group> groups;

  /// An SVG file that needs no fonts or styles of its own, and is legible on dark pages, too.
  std::string svg() const;
};

}  // namespace weir::bench
