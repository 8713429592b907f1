#include "cli/views/dag_drawing.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/display_width.hpp"
#include "base/utf8.hpp"

namespace weir::cli {
namespace {

enum Side : std::uint8_t { leftward = 1, rightward = 2, upward = 4, downward = 8 };

constexpr std::array<std::string_view, 16> boxes = {" ", "─", "─", "─", "│", "┘", "└", "┴",
                                                    "│", "┐", "┌", "┬", "│", "┤", "├", "┼"};
constexpr std::array<std::string_view, 16> plain = {" ", "-", "-", "-", "|", "+", "+", "+",
                                                    "|", "+", "+", "+", "|", "+", "+", "+"};

struct Cell {
  std::uint8_t sides = 0;
  const DagLayout::Bar* bar = nullptr;  // the vertical line through this cell
  std::string text{};                   // a label's character instead of a line
};

// The horizontal positions of a layer's parts, in cells: its labels, and the bars before them.
struct Columns {
  std::size_t label = 0;
  std::size_t label_width = 0;
  std::size_t first_bar = 0;
  std::size_t bar(const DagLayout::Bar& each) const { return first_bar + 2 * *each.column; }
};

class Canvas {
 public:
  Canvas(std::span<const DagNode> nodes, const DagLayout& layout) : nodes_(nodes), layout_(layout) {
    std::size_t x = 0;
    bool labels = true;  // whether the layer before has any
    for (const DagLayout::Layer& layer : layout.layers) {
      Columns columns;
      if (!columns_.empty()) {
        // " ─┬─▶ " with a bar, " ──▶ " without; no blank beside a layer that has only lines.
        const std::size_t lead = labels ? 2 : 0;
        labels = std::ranges::any_of(layer.places,
                                     [](const auto& place) { return place.node.has_value(); });
        columns.first_bar = x + lead;
        x = columns.first_bar +
            2 * std::max<std::size_t>(layer.bar_columns, labels && lead == 0 ? 1 : 0);
        x += labels ? (layer.bar_columns == 0 ? 3 : 2) : 0;
      }
      columns.label = x;
      for (const DagLayout::Place& place : layer.places)
        if (place.node)
          columns.label_width =
              std::max(columns.label_width, display_width(nodes[*place.node].label));
      x += columns.label_width;
      columns_.push_back(columns);
    }
    cells_.assign(layout.rows, std::vector<Cell>(x));
    for (std::size_t k = 0; k < layout.layers.size(); ++k) draw_layer(k);
  }

  std::vector<std::string> lines(bool unicode) const {
    std::vector<std::string> lines;
    for (const std::vector<Cell>& row : cells_) {
      std::string line;
      for (const Cell& cell : row)
        line += cell.text.empty()    ? (unicode ? boxes : plain)[cell.sides]
                : cell.text == arrow ? (unicode ? "▶" : ">")
                                     : cell.text;
      line.erase(line.find_last_not_of(' ') + 1);
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  static constexpr std::string_view arrow = "→";  // a placeholder, which lines() replaces

  void draw_layer(std::size_t k) {
    const DagLayout::Layer& layer = layout_.layers[k];
    for (const DagLayout::Bar& bar : layer.bars)
      if (bar.column) draw_bar(columns_[k].bar(bar), bar);
    if (k > 0)
      for (const DagLayout::Bar& bar : layer.bars) draw_lines(k, bar);
    for (const DagLayout::Place& place : layer.places)
      if (place.node) write(columns_[k].label, place.row, nodes_[*place.node].label);
  }

  void draw_bar(std::size_t x, const DagLayout::Bar& bar) {
    for (std::size_t y = bar.top; y <= bar.bottom; ++y) {
      Cell& cell = cells_[y][x];
      cell.bar = &bar;
      if (y > bar.top) cell.sides |= upward;
      if (y < bar.bottom) cell.sides |= downward;
    }
  }

  void draw_lines(std::size_t k, const DagLayout::Bar& bar) {
    const Columns& columns = columns_[k];
    const std::vector<DagLayout::Place>& before = layout_.layers[k - 1].places;
    const std::vector<DagLayout::Place>& after = layout_.layers[k].places;
    const std::size_t meet = bar.column ? columns.bar(bar) : columns.label - 1;
    for (const std::size_t source : bar.sources)
      line(start(k - 1, before[source]), meet, before[source].row, bar,
           bar.column ? leftward : leftward | rightward);
    for (const std::size_t target : bar.targets) {
      const DagLayout::Place& place = after[target];
      if (bar.column) cells_[place.row][meet].sides |= rightward;
      line(meet + 1, columns.label + (place.node ? 0 : columns.label_width) - 1, place.row, bar,
           leftward | rightward);
      if (!place.node) continue;
      cells_[place.row][columns.label - 2].text = arrow;
      cells_[place.row][columns.label - 1].sides = 0;
    }
  }

  // Where the line out of a place begins: after its label, or at the end of the line it continues.
  std::size_t start(std::size_t k, const DagLayout::Place& place) const {
    const Columns& columns = columns_[k];
    return columns.label +
           (place.node ? display_width(nodes_[*place.node].label) + 1 : columns.label_width);
  }

  // Draws a line from `x0` to `x1`, both inclusive; the last cell has only the sides `end`. It
  // passes under other bars.
  void line(std::size_t x0, std::size_t x1, std::size_t y, const DagLayout::Bar& own, int end) {
    for (std::size_t x = x0; x <= x1; ++x) {
      Cell& cell = cells_[y][x];
      if (cell.bar == nullptr || cell.bar == &own)
        cell.sides |= static_cast<std::uint8_t>(x < x1 ? leftward | rightward : end);
    }
  }

  void write(std::size_t x, std::size_t y, std::string_view label) {
    for (std::size_t begin = 0; begin < label.size();) {
      std::size_t end = begin + 1;
      while (end < label.size() && continues_character(label[end])) ++end;
      cells_[y][x++].text = label.substr(begin, end - begin);
      begin = end;
    }
  }

  std::span<const DagNode> nodes_;
  const DagLayout& layout_;
  std::vector<Columns> columns_;
  std::vector<std::vector<Cell>> cells_;
};

}  // namespace

DagDrawing draw(std::span<const DagNode> nodes, bool unicode) {
  const DagLayout places = layout(nodes);
  DagDrawing drawing{.lines = Canvas(nodes, places).lines(unicode)};
  for (const std::string& line : drawing.lines)
    drawing.width = std::max(drawing.width, display_width(line));
  return drawing;
}

}  // namespace weir::cli
