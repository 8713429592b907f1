#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "git.hpp"

namespace repo_search {

/// A file of a commit: its path, and the object that holds its content.
struct File {
  std::string path;
  std::string blob;  ///< 40 hex digits
};

/// A line that holds the text.
struct Hit {
  std::uint64_t line = 0;   ///< from 1
  std::uint64_t count = 0;  ///< how many times it occurs there, not overlapping
  std::string text;         ///< the line, cut after Hit::text_bytes_max; what is no UTF-8 replaced
  static constexpr std::size_t text_bytes_max = 200;
};

/// What was found in one file.
struct FileHits {
  std::string path;
  std::uint64_t count = 0;
  std::vector<Hit> lines;
};

/// All files of a commit, ordered by path, links and submodules left out. Names that are no UTF-8
/// are skipped. Throws GitError.
std::vector<File> files_of(const Repository& repository, const std::string& commit);

/// Every line of `content` that contains `text`, which is not empty and has no line end in it.
std::vector<Hit> hits_in(std::string_view content, std::string_view text);

/// The occurrences of `text` in `group`.
struct Searched {
  std::uint64_t files = 0;   ///< that were searched
  std::uint64_t binary = 0;  ///< that were not: their first bytes have a NUL, as for git
  std::vector<FileHits> hits;
};

/// Searches the files of `group`. `pause` is called before each and may throw. Throws
/// GitError.
Searched search_files(const Repository& repository, const std::vector<File>& group,
                      std::string_view text, const std::function<void()>& pause);

}  // namespace repo_search
