#include "file_list.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "shown_name.hpp"

namespace text_report {
namespace {

namespace fs = std::filesystem;

/// Whether the host lacks resources and the folder is not at fault: worth a retry.
bool is_shortage(std::error_code error) {
  return error == std::errc::too_many_files_open ||
         error == std::errc::too_many_files_open_in_system || error == std::errc::not_enough_memory;
}

/// Adds what is directly in root/below to `found`, and the folders there to `open_folders`.
std::error_code read_folder(const fs::path& root, const fs::path& below,
                            std::vector<ListedFile>& found, std::vector<fs::path>& open_folders) {
  std::error_code error;
  for (fs::directory_iterator entry(root / below, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code vanished;
    const fs::file_type type = entry->symlink_status(vanished).type();
    const fs::path path = below / entry->path().filename();
    if (type == fs::file_type::directory) open_folders.push_back(path);
    if (type == fs::file_type::regular) found.push_back({path.string(), ""});
  }
  return error;
}

}  // namespace

std::expected<std::vector<ListedFile>, std::string> list_files(const fs::path& folder,
                                                               const std::function<void()>& pause) {
  if (folder.empty()) return std::unexpected("folder is empty: name the folder to report on");
  std::vector<ListedFile> found;
  std::vector<fs::path> open_folders = {""};
  while (!open_folders.empty()) {
    pause();
    const fs::path below = std::move(open_folders.back());
    open_folders.pop_back();
    const std::error_code error = read_folder(folder, below, found, open_folders);
    if (!error) continue;
    if (is_shortage(error)) throw std::system_error(error, (folder / below).string());
    if (below.empty())
      return std::unexpected("cannot list the folder " + folder.string() + ": " + error.message());
    found.push_back({below.string(), "cannot list this folder: " + error.message()});
  }
  std::ranges::sort(found, {}, &ListedFile::path);
  for (ListedFile& file : found) {
    std::string shown = shown_name(file.path);
    if (shown != file.path && file.trouble.empty()) file.trouble = "its name is not valid UTF-8";
    file.path = std::move(shown);
  }
  return found;
}

}  // namespace text_report
