#include "bench/plots/charts.hpp"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/core.h>

namespace weir::bench {
namespace {

using Tone = BarChart::Tone;

constexpr std::string_view ours = "Weir";

BarChart empty_chart(const Results& results, std::string title) {
  std::string caption;
  for (const std::string& line : results.machine) caption += (caption.empty() ? "" : " · ") + line;
  return {.title = std::move(title), .caption = std::move(caption), .groups = {}};
}

}  // namespace

BarChart throughput_chart(const Results& results) {
  BarChart chart = empty_chart(results, "Throughput");
  for (const std::string& work : results.groups()) {
    BarChart::Group group;
    for (const Measured& side : results.of(work)) {
      if (side.unit.empty() || side.unit == "ms" || !side.has("per_s")) continue;
      group.title = fmt::format("{}, {}", work, side.unit);
      group.bars.push_back({.label = side.name,
                            .value = side.figures.at("per_s"),
                            .tone = side.name == ours ? Tone::ours : Tone::other});
    }
    if (!group.bars.empty()) chart.groups.push_back(std::move(group));
  }
  return chart;
}

BarChart latency_chart(const Results& results) {
  struct Quantile {
    const char* figure;
    const char* name;
    Tone of_weir, of_others;
  };
  constexpr std::array<Quantile, 3> quantiles{
      {{"p50_ms", "p50", Tone::ours, Tone::other},
       {"p99_ms", "p99", Tone::ours_faint, Tone::other_faint},
       {"p999_ms", "p99.9", Tone::ours_faint, Tone::other_faint}}};
  BarChart chart = empty_chart(results, "From a start to its handler, ms");
  for (const std::string& work : results.groups()) {
    BarChart::Group group{.title = work, .bars = {}};
    for (const Measured& side : results.of(work))
      for (const Quantile& each : quantiles)
        if (side.unit == "ms" && side.has(each.figure))
          group.bars.push_back({.label = fmt::format("{}, {}", side.name, each.name),
                                .value = side.figures.at(each.figure),
                                .tone = side.name == ours ? each.of_weir : each.of_others});
    if (!group.bars.empty()) chart.groups.push_back(std::move(group));
  }
  return chart;
}

BarChart history_chart(const Results& results) {
  constexpr std::array<std::pair<const char*, const char*>, 3> costs{
      {{"server_us", "server, µs a task"},
       {"wal_bytes", "WAL, bytes a task"},
       {"buffers", "buffers a task"}}};
  BarChart chart = empty_chart(results, "Beside finished runs");
  for (const std::string& table : results.groups()) {
    if (!table.starts_with("finished runs")) continue;
    for (const auto& [figure, name] : costs) {
      BarChart::Group group{.title = fmt::format("{}: {}", table, name), .bars = {}};
      for (const Measured& each : results.of(table))
        if (each.has(figure))
          group.bars.push_back({.label = number_text(std::stod(each.name)),
                                .value = each.figures.at(figure),
                                .tone = group.bars.empty() ? Tone::ours_faint : Tone::ours});
      if (!group.bars.empty()) chart.groups.push_back(std::move(group));
    }
  }
  return chart;
}

}  // namespace weir::bench
