#pragma once
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace article {

/// Puts `page` into folder/name, replacing what was there: a reader of that file sees the whole old
/// page or the whole new one, also after a crash. Copies that crashed attempts left under hidden
/// names are removed once they are an hour old.
///
/// Throws std::system_error naming the path.
void write_page(const std::filesystem::path& folder, const std::string& name,
                std::string_view page);

/// Creates the folder for pages when its parent exists; the error says why that is impossible: no
/// parent, no permission, no folder. Throws std::system_error for failures that may pass.
std::expected<void, std::string> make_folder(const std::filesystem::path& folder);

}  // namespace article
