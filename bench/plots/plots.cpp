// bench_plots FOLDER FILE…: draws what script/bench engine and growth have written with --json, as
// throughput.svg, latency.svg and history.svg, and puts their tables into tables.md. What no file
// has measured is not drawn.
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/core.h>

#include "bench/plots/charts.hpp"
#include "bench/plots/markdown.hpp"
#include "bench/plots/measured.hpp"
#include "bench/required.hpp"

namespace {

using namespace weir::bench;

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  if (!out.flush()) fail(file.string() + " cannot be written");
  fmt::print("{}\n", file.string());
}

void draw(const std::filesystem::path& file, const BarChart& chart) {
  if (!chart.groups.empty()) write(file, chart.svg());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bench_plots FOLDER FILE…\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const Results results = Results::read({argv + 2, argv + argc});
  std::filesystem::create_directories(folder);
  draw(folder / "throughput.svg", throughput_chart(results));
  draw(folder / "latency.svg", latency_chart(results));
  draw(folder / "history.svg", history_chart(results));
  write(folder / "tables.md", markdown(results));
}
