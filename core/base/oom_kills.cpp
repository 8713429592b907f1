#include "base/oom_kills.hpp"

#include <fstream>

#include <fmt/core.h>
#include <signal.h>

namespace weir {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> count_in(const fs::path& file) {
  std::ifstream in(file);
  std::string key;
  std::uint64_t value = 0;
  while (in >> key >> value)
    if (key == "oom_kill") return value;
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> oom_kills(const fs::path& membership, const fs::path& cgroups) {
  std::ifstream in(membership);
  for (std::string line; std::getline(in, line);) {  // "0::/a/b", "4:memory:/a/b"
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = fs::path(line.substr(second + 1)).relative_path();
    const auto count = controllers.empty() ? count_in(cgroups / group / "memory.events")
                       : controllers == "memory"
                           ? count_in(cgroups / "memory" / group / "memory.oom_control")
                           : std::nullopt;
    if (count) return count;
  }
  return std::nullopt;
}

std::string text_of_oom_kills(const ProcessEnd& end, std::optional<std::uint64_t> before,
                              std::optional<std::uint64_t> now) {
  if (!end.by_signal || end.number != SIGKILL || !before || !now || *now <= *before) return {};
  const std::uint64_t count = *now - *before;
  return fmt::format(
      "; the kernel's out-of-memory killer ended {} process{} of this cgroup meanwhile", count,
      count == 1 ? "" : "es");
}

}  // namespace weir
