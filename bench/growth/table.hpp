#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/engine/figures.hpp"

namespace weir::bench {

/// One table of the report: a line for each of the cases that are compared, in order, with some of
/// their figures, and how much larger those of the last case are than those of the first.
class Table {
 public:
  struct Column {
    std::string figure;  ///< its name in Figures
    std::string head;
    int digits = 0;
  };
  Table(std::string title, std::vector<Column> columns)
      : title_(std::move(title)), columns_(std::move(columns)) {}

  /// One more round of a case.
  void add(const std::string& name, Figures figures);

  void print() const;
  /// A line of JSON for each case.
  std::vector<std::string> json() const;

 private:
  struct Case {
    std::string name;
    std::vector<Figures> rounds;
  };
  std::string title_;
  std::vector<Column> columns_;
  std::vector<Case> cases_;
};

}  // namespace weir::bench
