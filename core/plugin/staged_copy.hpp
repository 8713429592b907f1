#pragma once
#include <filesystem>
#include <memory>
#include <utility>

namespace weir {

/// The path of a plugin's private copy, and a hold on it: the file stays as long as any StagedCopy
/// for it exists and the StageDirectory lives. Copies of this value share the hold.
/// [any thread; one object as any value: one writer or many readers]
class StagedCopy {
 public:
  StagedCopy() = default;

  /// A file that is kept by other means. Absolute.
  StagedCopy(std::filesystem::path path) : path_(std::move(path)) {}  // NOLINT: any path will do

  /// The end of `hold` releases the file.
  StagedCopy(std::filesystem::path path, std::shared_ptr<const void> hold)
      : path_(std::move(path)), hold_(std::move(hold)) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  operator const std::filesystem::path&() const noexcept { return path_; }  // NOLINT: it is one

 private:
  std::filesystem::path path_;
  std::shared_ptr<const void> hold_;
};

}  // namespace weir
