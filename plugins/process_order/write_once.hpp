#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace process_order {

/// Puts `text` into the file folder/name unless that file exists, and returns what the file
/// contains afterwards: `text`, or what another call wrote before.
///
/// This holds after a crash at any instant and with any number of writers at once, in threads or
/// processes: the whole file is there or none of it, and its first content never changes. When this
/// returns, the file outlives a power failure too. Unfinished copies are in folder/.pending under
/// names of their own; the next call for the same name removes them.
///
/// Throws std::system_error naming the path: either nothing happened, or the same call again finds
/// the work done.
std::string write_once(const std::filesystem::path& folder, const std::string& name,
                       std::string_view text);

/// Makes names created in or removed from `folder` outlive a power failure. Throws
/// std::system_error.
void sync_folder(const std::filesystem::path& folder);

}  // namespace process_order
