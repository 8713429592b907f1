#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace weir::bench {

/// What script/bench growth was told; see there. Lists have the sizes that are compared with the
/// smallest one, which is always measured.
struct GrowthOptions {
  std::size_t rounds = 3, runs = 10'000;
  std::size_t large = 200;  ///< outputs of 1 MB
  std::vector<std::size_t> history{1'000'000}, parked{100'000}, versions{1'000};
  std::string only;
  std::filesystem::path json, folder = "build/growth-database";

  /// Ends the program where it does not understand something.
  static GrowthOptions of(int argc, char** argv);
};

/// `sizes` behind the one that they are compared with.
std::vector<std::size_t> beginning_with(std::size_t first, std::vector<std::size_t> sizes);

}  // namespace weir::bench
