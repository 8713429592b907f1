// bench_registry_report FOLDER [--json FILE]: the table of what script/bench measured.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>
#include <boost/version.hpp>
#include <fmt/format.h>

#if WEIR_BENCH_TBB
#include <tbb/version.h>
#endif

#include "bench/measure/machine.hpp"
#include "bench/required.hpp"
#include "figures.hpp"
#include "rows.hpp"

namespace weir::bench {
namespace {

std::string number(double value) {
  const double size = std::abs(value);
  return fmt::format("{:.{}f}", value, size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

// Small ratios as their reciprocal, for that is how one speaks of them.
std::string ratio_text(double ratio) {
  if (ratio >= 0.5) return fmt::format("{:.2f}", ratio);
  const double times = 1 / ratio;
  return fmt::format("1/{:.{}f}", times, times >= 100 ? 0 : 1);
}

std::string goal_text(const Row& row) {
  if (!row.goal) return {};
  const std::string_view sign = row.goal->at_least ? ">=" : "<=";
  if (row.goal->of == Row::Of::ratio && row.goal->bound < 0.5)
    return fmt::format("{} 1/{:.0f}", sign, 1 / row.goal->bound);
  return fmt::format("{} {:g}", sign, row.goal->bound);
}

std::string figure_text(const Row& row) {
  if (!row.value) return "not measured";
  const bool of_ratio = row.goal && row.goal->of == Row::Of::ratio;
  if (of_ratio) return row.ratio() ? ratio_text(*row.ratio()) : fmt::format("no {}", row.partner);
  return number(*row.value) + " " + row.unit;
}

void print(const Row& row) {
  const auto ratio = row.ratio();
  const auto met = row.met();
  std::string line =
      fmt::format("{:<41}{:>11}{:>9}{:>7}{:>10}{}", row.name,
                  row.value ? number(*row.value) + " " + row.unit : "-",
                  row.against           ? number(*row.against)
                  : row.partner.empty() ? ""
                                        : "-",
                  ratio ? ratio_text(*ratio) : "", goal_text(row), met && !*met ? " !" : "");
  line.erase(line.find_last_not_of(' ') + 1);
  fmt::print("{}\n", line);
}

boost::json::object to_json(const Row& row) {
  const auto number_or_null = [](std::optional<double> value) -> boost::json::value {
    if (!value) return nullptr;
    return *value;
  };
  boost::json::object object;
  object["name"] = row.section.substr(0, row.section.find(", against")) + ": " + row.name +
                   (row.partner.empty() ? "" : ", against " + row.partner);
  object["value"] = number_or_null(row.value);
  object["unit"] = row.unit;
  object["against"] = number_or_null(row.against);
  object["ratio"] = number_or_null(row.ratio());
  object["goal"] = nullptr;
  object["met"] = nullptr;
  if (row.goal)
    object["goal"] = fmt::format("{} {} {:g}", row.goal->of == Row::Of::ratio ? "ratio" : "value",
                                 row.goal->at_least ? ">=" : "<=", row.goal->bound);
  if (const auto met = row.met()) object["met"] = *met;
  return object;
}

void write_json(const std::vector<Row>& all, const std::string& path) {
  std::ofstream file(path);
  std::string_view before = "[\n  ";
  for (const Row& row : all) {
    file << before << to_json(row);
    before = ",\n  ";
  }
  file << "\n]\n";
  if (!file.flush()) fail("cannot write " + path);
}

void print_all(const std::vector<Row>& all) {
  fmt::print("{:<41}{:>11}{:>9}{:>7}{:>10}\n", "", "measured", "against", "ratio", "goal");
  std::string_view section;
  for (const Row& row : all) {
    if (row.shown == Row::Shown::in_json) continue;
    if (row.section != section) fmt::print("\n{}\n", section = row.section);
    print(row);
  }
}

// One line for each goal that was missed or could not be judged.
void print_missed(const std::vector<Row>& all) {
  std::size_t goals = 0;
  std::size_t met = 0;
  std::string lines;
  for (const Row& row : all) {
    if (!row.goal || row.name.starts_with("worst: ")) continue;
    ++goals;
    if (row.met() == true)
      ++met;
    else
      lines += fmt::format("{}: {}: {}, goal {}\n", row.met() ? "not met" : "not judged",
                           row.section.substr(0, row.section.find(", against")) + ": " + row.name,
                           figure_text(row), goal_text(row));
  }
  fmt::print("\n{} of {} goals met\n{}", met, goals, lines);
}

std::string versions(const std::string& elixir) {
  std::string all = fmt::format("Boost {}.{}.{}", BOOST_VERSION / 100'000,
                                BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100);
#if WEIR_BENCH_TBB
  all += fmt::format(", oneTBB {}.{}", TBB_VERSION_MAJOR, TBB_VERSION_MINOR);
#endif
  return elixir.empty() ? all : all + ", " + elixir;
}

int main_of(const std::vector<std::string>& arguments) {
  const bool with_json = arguments.size() == 3 && arguments[1] == "--json";
  if (arguments.size() != 1 && !with_json) {
    fmt::print(stderr, "usage: bench_registry_report FOLDER [--json FILE]\n");
    return 2;
  }
  const Figures figures = Figures::read(arguments[0]);
  const std::vector<Row> all = rows(figures);
  print_all(all);
  fmt::print("\nMedians of {} interleaved repetitions (once a round: schedule, memory).\n",
             figures.repetitions("lookup/"));
  for (const std::string& line : machine(versions(figures.elixir()))) fmt::print("{}\n", line);
  if (figures.elixir().empty()) fmt::print("not measured: no Elixir\n");
  print_missed(all);
  if (with_json) write_json(all, arguments[2]);
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) { return weir::bench::main_of({argv + 1, argv + argc}); }
