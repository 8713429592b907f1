#include "bench/engine/report.hpp"

#include <fstream>
#include <optional>
#include <string>

#include <fmt/core.h>

#include "base/json.hpp"
#include "bench/measure/machine.hpp"
#include "bench/required.hpp"

namespace weir::bench {
namespace {

std::string cell(const Figures& figures, const char* name, int digits) {
  const auto found = figures.find(name);
  return found == figures.end() ? "-" : fmt::format("{:.{}f}", found->second, digits);
}

/// Weir's part of what another side does; of latencies how many times as long Weir takes. Of
/// handlers what part of the plain ones' work they do.
std::optional<double> ratio(const Work& work, const Side& side) {
  const char* const name = work.is_latency() ? "p50_ms" : "per_s";
  const Figures ours = medians(work.sides.front().rounds), theirs = medians(side.rounds);
  if (&side == &work.sides.front() || !ours.contains(name) || !theirs.contains(name))
    return std::nullopt;
  const double ratio = ours.at(name) / theirs.at(name);
  return work.compares_handlers ? 1 / ratio : ratio;
}

void print_head(const Work& work) {
  if (work.is_latency()) {
    fmt::print("{:<26}{:>9}{:>7}{:>9}{:>9}{:>9}\n", work.name + ", ms", "p50", "ratio", "p99",
               "p99.9", "runs/s");
  } else {
    fmt::print("{:<26}{:>9}{:>7}{:>8}{:>8}{:>7}{:>8}{:>7}\n", work.name, work.unit, "ratio",
               "server", "client", "WAL", "commits", "noise");
  }
}

void print_side(const Work& work, const Side& side) {
  const Figures figures = medians(side.rounds);
  const auto times = ratio(work, side);
  const std::string shown = times ? fmt::format("{:.2f}", *times) : "";
  if (work.is_latency()) {
    fmt::print("  {:<24}{:>9}{:>7}{:>9}{:>9}{:>9}\n", side.name, cell(figures, "p50_ms", 2), shown,
               cell(figures, "p99_ms", 2), cell(figures, "p999_ms", 2), cell(figures, "per_s", 0));
  } else {
    fmt::print("  {:<24}{:>9}{:>7}{:>8}{:>8}{:>7}{:>8}{:>7}\n", side.name,
               cell(figures, "per_s", 0), shown, cell(figures, "server_us", 1),
               cell(figures, "client_us", 1), cell(figures, "wal_bytes", 0),
               cell(figures, "commits", 3), cell(figures, "noise_cores", 2));
  }
}

std::string json_line(const Work& work, const Side& side) {
  std::string rounds;
  for (const Figures& round : side.rounds) rounds += (rounds.empty() ? "" : ",") + json_of(round);
  const auto times = ratio(work, side);
  return fmt::format(
      R"({{"work":{},"side":{},"unit":{},"ratio":{},"left_out":{},"median":{},"rounds":[{}]}})",
      json_quoted(work.name), json_quoted(side.name), json_quoted(work.unit),
      times ? fmt::format("{:.4f}", *times) : "null",
      side.left_out.empty() ? "null" : json_quoted(side.left_out), json_of(medians(side.rounds)),
      rounds);
}

}  // namespace

void print_table(const std::vector<Work>& works, const std::vector<std::string>& machine) {
  std::string left_out;
  for (const Work& work : works) {
    if (work.sides.front().rounds.empty()) continue;
    print_head(work);
    for (const Side& side : work.sides) {
      if (!side.rounds.empty()) print_side(work, side);
      if (!side.left_out.empty())
        left_out += fmt::format("Left out of {}: {}: {}\n", work.name, side.name, side.left_out);
    }
    fmt::print("\n");
  }
  fmt::print(
      "{}ratio: Weir's figure by the other's; by handlers: theirs by the plain ones'.\n"
      "server, client: processor time a task, us. WAL: bytes a task. commits: a task.\n"
      "noise: processors that others kept busy.\n",
      left_out);
  for (const std::string& line : machine) fmt::print("{}\n", line);
}

void write_json(const std::filesystem::path& file, const std::vector<Work>& works,
                const std::vector<std::string>& machine) {
  std::string lines = json_of_machine(machine);
  for (const Work& work : works)
    for (const Side& side : work.sides)
      if (!side.rounds.empty() || !side.left_out.empty()) lines += ",\n" + json_line(work, side);
  std::ofstream out(file);
  out << "[\n" << lines << "\n]\n";
  if (!out.flush()) fail(file.string() + " cannot be written");
}

}  // namespace weir::bench
