#pragma once
#include <filesystem>
#include <memory>
#include <utility>

namespace weir {

/// Where a private copy of a plugin lies, and a hold on it: the file stays while anybody has one of
/// these for it, and the StageDirectory lives. Copies of this value share the hold.
/// [any thread; one object as any value: one writer or many readers]
class StagedCopy {
 public:
  StagedCopy() = default;

  /// A file that somebody else looks after. Absolute.
  StagedCopy(std::filesystem::path path) : path_(std::move(path)) {}  // NOLINT: any path will do

  /// `hold`'s end lets the file go.
  StagedCopy(std::filesystem::path path, std::shared_ptr<const void> hold)
      : path_(std::move(path)), hold_(std::move(hold)) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  operator const std::filesystem::path&() const noexcept { return path_; }  // NOLINT: it is one

 private:
  std::filesystem::path path_;
  std::shared_ptr<const void> hold_;
};

}  // namespace weir
