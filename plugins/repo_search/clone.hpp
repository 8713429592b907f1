/// Threads: several tasks use one Clone at once. Each opens a git_repository of its own in its
/// folder, because libgit2's objects belong to one thread; only fetching is serialised, by a mutex.
#pragma once
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "git.hpp"

namespace repo_search {

/// A bare copy of a repository in a temporary folder, removed with the object.
class Clone {
 public:
  /// Copies the repository at `source`, a folder on this host, with all its branches and tags.
  /// Throws GitError when it cannot.
  explicit Clone(std::filesystem::path source);
  ~Clone();
  Clone(const Clone&) = delete;
  Clone& operator=(const Clone&) = delete;

  /// The commit that `ref` means in the source as it is now ("HEAD", "main", "v1.0", an id),
  /// fetched if it is newer than the clone; nullopt when the source has none of that name. Throws
  /// GitError.
  std::optional<std::string> commit_of(const std::string& ref);

  const std::filesystem::path& folder() const noexcept { return folder_; }

  /// How many clones of this source this process has made, up to this one.
  std::uint64_t number() const noexcept { return number_; }

 private:
  void fetch();

  Git git_;
  std::filesystem::path source_;
  std::filesystem::path folder_;
  std::uint64_t number_ = 0;
  std::mutex fetching_;
};

}  // namespace repo_search
