#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir::bench {

/// The medians of one side of a work (script/bench engine), or of one case of a table (growth).
struct Measured {
  std::string group;  ///< the work, or the table
  std::string name;   ///< the side, or the case
  std::string unit;   ///< of per_s; "ms": latencies; empty for growth
  std::map<std::string, double, std::less<>> figures;

  bool has(std::string_view figure) const { return figures.contains(figure); }
};

/// Everything that files of --json hold, in their order.
struct Results {
  std::vector<Measured> measured;
  std::vector<std::string> machine;  ///< lines, of the last file

  /// Ends the program where a file is none of those. A side that was left out has no place.
  static Results read(const std::vector<std::filesystem::path>& files);
  /// Those of one JSON text. Ends the program where it is no such JSON.
  void add(std::string_view json);

  /// The names of all groups, in order.
  std::vector<std::string> groups() const;
  std::vector<Measured> of(std::string_view group) const;
};

/// A figure as people read it: three digits that count, thousands apart.
std::string number_text(double value);

}  // namespace weir::bench
