#include "cli/terminal/table.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "base/assert.hpp"
#include "base/display_width.hpp"
#include "base/printable.hpp"

namespace weir::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t cut_min = 8;

}  // namespace

void Table::add(std::vector<Cell> row) {
  WEIR_ASSERT(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

std::string Table::text(const Terminal& terminal) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    widths.push_back(display_width(columns_[i].title));
    for (const std::vector<Cell>& row : rows_)
      widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  const auto total = [&] {
    return std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
  };
  while (terminal.columns != 0 && total() > terminal.columns) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (columns_[i].kind == Column::cut && widths[i] > cut_min &&
          (widest == widths.size() || widths[i] > widths[widest]))
        widest = i;
    if (widest == widths.size()) break;
    --widths[widest];
  }

  std::string all;
  const auto line = [&](const auto& cell_of) {
    std::string blanks;  // written only when something follows
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_of(i);
      const std::string shown =
          columns_[i].kind == Column::cut ? clipped(terminal, cell.text, widths[i]) : cell.text;
      const std::string pad(widths[i] - std::min(widths[i], display_width(shown)), ' ');
      if (columns_[i].kind == Column::right) blanks += pad;
      if (!shown.empty()) all += std::exchange(blanks, "") + painted(terminal, cell.tone, shown);
      if (columns_[i].kind != Column::right) blanks += pad;
      blanks.append(gap, ' ');
    }
    all += '\n';
  };
  line([&](std::size_t i) { return Cell{columns_[i].title, Tone::faint}; });
  for (const std::vector<Cell>& row : rows_) line([&](std::size_t i) { return row[i]; });
  return all;
}

}  // namespace weir::cli
