#include "plugin/dependency_state.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

namespace weir {
namespace {

std::string state_of(const std::filesystem::path& file) {
  struct stat now{};
  if (::stat(file.c_str(), &now) != 0) return fmt::format("{}: none", file.native());
  return fmt::format("{}: {}/{} {} {}.{} {}.{}", file.native(), now.st_dev, now.st_ino, now.st_size,
                     now.st_mtim.tv_sec, now.st_mtim.tv_nsec, now.st_ctim.tv_sec,
                     now.st_ctim.tv_nsec);
}

}  // namespace

std::string DependencyState::of(std::span<const std::string> needed, std::string_view runpath) {
  std::string all;
  for (const std::string& name : needed) {
    const auto [known, is_new] = known_.try_emplace(fmt::format("{}\n{}", runpath, name));
    if (is_new) {
      if (!search_) search_.emplace();
      const auto found = search_->candidates(name, runpath, {});
      known->second = found.empty() ? name + ": none" : state_of(found.front());
    }
    all += known->second;
    all += '\n';
  }
  const auto [cache, is_new] = known_.try_emplace("");
  if (is_new) cache->second = state_of("/etc/ld.so.cache");
  return all + cache->second;
}

}  // namespace weir
