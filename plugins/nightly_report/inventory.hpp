#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace nightly_report {

/// The files of one ending below a folder.
struct Ending {
  std::string ending;  ///< ".txt"; "" for names without one
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

/// All regular files below `folder` by ending, most bytes first, ties by ending. `pause` is called
/// for each file and may throw. Throws std::filesystem::filesystem_error.
std::vector<Ending> inventory(const std::filesystem::path& folder,
                              const std::function<void()>& pause);

}  // namespace nightly_report
