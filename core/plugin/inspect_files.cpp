#include "plugin/inspect_files.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <thread>
#include <utility>

#include "plugin/trust.hpp"

namespace weir {
namespace {

std::expected<TrustedFile, PluginError> read(TrustedFiles& files, const std::filesystem::path& path,
                                             const TrustPolicy& policy) {
  if (!policy.sha256_allow.empty()) return files.read(path, policy);
  auto bytes = files.read_bytes(path, policy);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  return TrustedFile{.path = path, .bytes = *std::move(bytes), .sha256 = {}};
}

}  // namespace

std::vector<std::expected<PluginInspection, PluginError>> inspect_files(
    std::span<const std::filesystem::path> paths, const TrustPolicy& policy) {
  using Inspected = std::expected<PluginInspection, PluginError>;
  std::vector<Inspected> all(paths.size(), std::unexpected(PluginError{}));
  const auto inspect_range = [&](std::size_t begin, std::size_t end) {
    TrustedFiles files;
    for (std::size_t i = begin; i < end; ++i) {
      const auto file = read(files, paths[i], policy);
      all[i] = file ? inspect_bytes(*file) : Inspected(std::unexpected(file.error()));
    }
  };
  constexpr std::size_t threads_max = 8, worth_a_thread = 32;
  const std::size_t threads = std::clamp<std::size_t>(
      paths.size() / worth_a_thread, 1,
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, threads_max));
  std::vector<std::jthread> others;
  for (std::size_t t = 1; t < threads; ++t)
    others.emplace_back(inspect_range, paths.size() * t / threads,
                        paths.size() * (t + 1) / threads);
  inspect_range(0, paths.size() / threads);
  others.clear();
  return all;
}

}  // namespace weir
