#include "plugin/plugin_folder.hpp"

#include <algorithm>
#include <string>
#include <system_error>

#include <fmt/core.h>

namespace weir {
namespace fs = std::filesystem;
namespace {

PluginError refusal(const fs::path& folder, const std::error_code& why) {
  PluginError error{.stage = PluginStage::discover, .path = folder.string()};
  if (why == std::errc::no_such_file_or_directory) {
    error.kind = PluginFault::not_found;
    error.detail = "there is no such plugin folder";
    error.hint = "make it, or mend plugins.folders in flows.yaml";
  } else if (why == std::errc::not_a_directory) {
    error.kind = PluginFault::not_regular;
    error.detail = "not a folder";
    error.hint = "plugins.folders takes folders; lint takes files";
  } else {
    error.kind = PluginFault::unreadable;
    error.detail = fmt::format("the plugin folder can't be listed: {}", why.message());
    error.hint = "let the user Weir runs as read and enter it";
  }
  return error;
}

}  // namespace

std::expected<std::vector<fs::path>, PluginError> discover(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    const fs::path name = entry->path().filename();
    if (name.native().front() != '.' && name.extension() == ".so") found.push_back(entry->path());
  }
  if (failed) return std::unexpected(refusal(folder, failed));
  std::ranges::sort(found);
  return found;
}

}  // namespace weir
