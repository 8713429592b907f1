#include "bench/engine/figures.hpp"

#include <fmt/core.h>

#include "bench/measure/samples.hpp"

namespace weir::bench {

Figures medians(const std::vector<Figures>& rounds) {
  std::map<std::string, std::vector<double>> values;
  for (const Figures& round : rounds)
    for (const auto& [name, value] : round) values[name].push_back(value);
  Figures result;
  for (const auto& [name, of_rounds] : values) result[name] = median(of_rounds);
  return result;
}

Figures latency_figures(const std::vector<double>& milliseconds) {
  return {{"p50_ms", median(milliseconds)},
          {"p99_ms", quantile(milliseconds, 0.99)},
          {"p999_ms", quantile(milliseconds, 0.999)}};
}

std::string json_of(const Figures& figures) {
  std::string members;
  for (const auto& [name, value] : figures)
    members += fmt::format("{}\"{}\":{:.6g}", members.empty() ? "" : ",", name, value);
  return "{" + members + "}";
}

}  // namespace weir::bench
