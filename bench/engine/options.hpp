#pragma once
#include <cstddef>
#include <filesystem>
#include <string>

namespace weir::bench {

/// What script/bench engine was told; see there.
struct EngineOptions {
  std::size_t rounds = 7, runs = 10'000, samples = 1'000;
  std::string floor, only;
  std::filesystem::path json, peers, folder = "build/bench-database";

  /// Ends the program where it does not understand something.
  static EngineOptions of(int argc, char** argv);
};

}  // namespace weir::bench
