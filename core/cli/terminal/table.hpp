#pragma once
#include <string>
#include <vector>

#include "cli/terminal/terminal.hpp"

namespace weir::cli {

/// A table with titles, aligned by the width of characters on a terminal. When the terminal is too
/// narrow, the widest columns that may be cut are cut; in a pipe nothing is cut.
class Table {
 public:
  struct Column {
    std::string title;
    enum { cut, whole, right } kind = cut;  ///< right: whole, and aligned to the right
  };
  struct Cell {
    std::string text;
    Tone tone = Tone::plain;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell for each column; control characters in it are escaped.
  void add(std::vector<Cell> row);

  bool empty() const noexcept { return rows_.empty(); }

  /// Lines with newlines; no trailing blanks.
  std::string text(const Terminal& terminal) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace weir::cli
