#include "bench/plots/markdown.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/core.h>

namespace weir::bench {
namespace {

struct Column {
  std::string_view figure, head;
};

constexpr std::array<Column, 17> columns{{{"per_s", "a second"},
                                          {"p50_ms", "p50, ms"},
                                          {"p99_ms", "p99, ms"},
                                          {"p999_ms", "p99.9, ms"},
                                          {"call_us", "call, µs"},
                                          {"server_us", "server, µs"},
                                          {"client_us", "client, µs"},
                                          {"wal_bytes", "WAL, B"},
                                          {"commits", "commits"},
                                          {"buffers", "buffers"},
                                          {"rows_read", "rows read"},
                                          {"rows_written", "rows written"},
                                          {"exchanges", "calls"},
                                          {"missed", "missed"},
                                          {"worker_mib", "memory, MiB"},
                                          {"worker_peak_mib", "at most, MiB"},
                                          {"noise_cores", "noise, cores"}}};

std::optional<double> figure_of(const Measured& measured, std::string_view figure) {
  const auto found = measured.figures.find(figure);
  if (found == measured.figures.end()) return std::nullopt;
  return found->second;
}

std::string ratio_text(const Measured& weir, const Measured& other, std::string_view figure) {
  const auto a = figure_of(weir, figure), b = figure_of(other, figure);
  return &weir == &other || !a || !b || *b == 0 ? "" : fmt::format("{:.2f}", *a / *b);
}

std::string line_of(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += fmt::format(" {} |", cell);
  return line + "\n";
}

std::string table_of(const std::string& group, const std::vector<Measured>& all) {
  const std::string& unit = all.front().unit;
  const std::string_view compared = all.size() < 2 || unit.empty() ? ""
                                    : unit == "ms"                 ? "p50_ms"
                                                                   : "per_s";
  std::vector<Column> shown;
  std::ranges::copy_if(columns, std::back_inserter(shown), [&](const Column& column) {
    return std::ranges::any_of(all, [&](const Measured& each) { return each.has(column.figure); });
  });
  std::vector<std::string> heads{group};
  for (const Column& column : shown) {
    heads.emplace_back(column.head);
    if (column.figure == compared) heads.emplace_back("ratio");
  }
  std::vector<std::string> rules(heads.size(), "---:");
  rules.front() = "---";
  std::string table = line_of(heads) + line_of(rules);
  for (const Measured& each : all) {
    std::vector<std::string> cells{each.name};
    for (const Column& column : shown) {
      const auto figure = figure_of(each, column.figure);
      cells.push_back(figure ? number_text(*figure) : "");
      if (column.figure == compared) cells.push_back(ratio_text(all.front(), each, column.figure));
    }
    table += line_of(cells);
  }
  return table + "\n";
}

}  // namespace

std::string markdown(const Results& results) {
  std::string text;
  for (const std::string& group : results.groups()) text += table_of(group, results.of(group));
  for (const std::string& line : results.machine) text += line + "  \n";
  return text;
}

}  // namespace weir::bench
