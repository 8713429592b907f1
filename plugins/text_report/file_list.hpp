#pragma once
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace text_report {

/// One regular file below the folder, or an entry that could not be examined.
struct ListedFile {
  std::string path;     ///< below the folder: "a/b.txt"; escaped when it is no UTF-8
  std::string trouble;  ///< why it cannot be counted; empty for a file that can
  friend bool operator==(const ListedFile&, const ListedFile&) = default;
};

/// Every regular file below `folder`, at any depth, ordered by the bytes of its path. Links are not
/// followed, and whatever is neither a file nor a folder is skipped. A folder that cannot be
/// read and a name that is no UTF-8 are listed with their trouble.
///
/// The error says why `folder` itself cannot be listed. `pause` is called for each folder and may
/// throw. Throws std::system_error when it is the host that lacks something (descriptors, memory).
std::expected<std::vector<ListedFile>, std::string> list_files(const std::filesystem::path& folder,
                                                               const std::function<void()>& pause);

}  // namespace text_report
