#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "cli/views/dag_layout.hpp"

namespace weir::cli {

struct DagDrawing {
  std::vector<std::string> lines;  ///< without trailing blanks
  std::size_t width = 0;           ///< of the widest line, in cells
};

/// Draws a graph from left to right, in box characters or in plain ASCII:
///
///     fetch ──▶ convert ─┬─▶ summarize ─┬─▶ publish
///                        └─▶ keywords ──┘
///
/// A line that meets a vertical one without a corner or tee passes under it.
DagDrawing draw(std::span<const DagNode> nodes, bool unicode);

}  // namespace weir::cli
