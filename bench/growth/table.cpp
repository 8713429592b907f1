#include "bench/growth/table.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/json.hpp"

namespace weir::bench {

void Table::add(const std::string& name, Figures figures) {
  auto found = std::ranges::find(cases_, name, &Case::name);
  if (found == cases_.end()) found = cases_.insert(cases_.end(), Case{.name = name, .rounds = {}});
  found->rounds.push_back(std::move(figures));
}

void Table::print() const {
  if (cases_.empty()) return;
  std::string head = fmt::format("{:<26}", title_);
  for (const Column& column : columns_) head += fmt::format("{:>9}", column.head);
  fmt::print("{}\n", head);
  for (const Case& each : cases_) {
    const Figures figures = medians(each.rounds);
    std::string line = fmt::format("  {:<24}", each.name);
    for (const auto& [figure, ignored, digits] : columns_)
      line += figures.contains(figure) ? fmt::format("{:>9.{}f}", figures.at(figure), digits)
                                       : fmt::format("{:>9}", "-");
    fmt::print("{}\n", line);
  }
  const Figures first = medians(cases_.front().rounds), last = medians(cases_.back().rounds);
  std::string times = fmt::format("  {:<24}", "last by first");
  for (const Column& column : columns_) {
    const bool known = first.contains(column.figure) && last.contains(column.figure) &&
                       first.at(column.figure) != 0;
    times += known ? fmt::format("{:>9.2f}", last.at(column.figure) / first.at(column.figure))
                   : fmt::format("{:>9}", "-");
  }
  fmt::print("{}\n\n", times);
}

std::vector<std::string> Table::json() const {
  std::vector<std::string> lines;
  for (const Case& each : cases_) {
    std::string rounds;
    for (const Figures& round : each.rounds) rounds += (rounds.empty() ? "" : ",") + json_of(round);
    lines.push_back(fmt::format(R"({{"table":{},"case":{},"median":{},"rounds":[{}]}})",
                                json_quoted(title_), json_quoted(each.name),
                                json_of(medians(each.rounds)), rounds));
  }
  return lines;
}

}  // namespace weir::bench
