#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

/// What the programs measured in all rounds, by the name of the benchmark; see add() for names.
class Figures {
 public:
  /// Adds every file of a folder: *.json of bench_registry, *.txt of elixir.exs. Ends the program
  /// when one can't be read: a figure that is missing without a word is no figure.
  static Figures read(const std::filesystem::path& folder);

  /// The middle one of what was measured under that name; nullopt when nothing was.
  std::optional<double> median(std::string_view name) const;

  /// How many values the least measured of all names that begin so has.
  std::size_t repetitions(std::string_view prefix) const;

  /// What Elixir said of itself; empty when it was not measured.
  const std::string& elixir() const noexcept { return elixir_; }

 private:
  /// "lookup/registry/read/64/hot/quiet/2": the name without what Google Benchmark adds to it, and
  /// with the number of threads where there is a choice. The value is the counter "figure", and
  /// where there is none the CPU time of one operation in ns.
  void add_benchmarks(const std::filesystem::path& file);
  void add_lines(const std::filesystem::path& file);

  std::map<std::string, std::vector<double>, std::less<>> values_;
  std::string elixir_;
};

}  // namespace weir::bench
