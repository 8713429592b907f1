#include "inventory.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace nightly_report {
namespace fs = std::filesystem;

std::vector<Ending> inventory(const fs::path& folder, const std::function<void()>& pause) {
  std::map<std::string, Ending> by_ending;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    pause();
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    std::string ending = entry.path().extension().string();
    Ending& sum = by_ending[ending];
    sum.ending = std::move(ending);
    ++sum.files;
    sum.bytes += static_cast<std::int64_t>(entry.file_size());
  }
  std::vector<Ending> all;
  for (auto& [name, sum] : by_ending) all.push_back(std::move(sum));
  std::ranges::sort(all, [](const Ending& a, const Ending& b) {
    return std::tie(b.bytes, a.ending) < std::tie(a.bytes, b.ending);
  });
  return all;
}

}  // namespace nightly_report
