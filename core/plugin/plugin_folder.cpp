#include "plugin/plugin_folder.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

namespace weir {
namespace fs = std::filesystem;
namespace {

PluginError why_not_listed(const std::error_code& error) {
  const auto refuse = [](PluginFault kind, std::string detail, std::string_view hint) {
    return refusal(PluginStage::discover, kind, std::move(detail), hint).error();
  };
  if (error == std::errc::no_such_file_or_directory)
    return refuse(PluginFault::not_found, "there is no such plugin folder",
                  "create it, or fix plugins.folders in flows.yaml");
  if (error == std::errc::not_a_directory)
    return refuse(PluginFault::not_regular, "not a folder",
                  "plugins.folders in flows.yaml takes folders");
  return refuse(PluginFault::unreadable,
                fmt::format("the plugin folder can't be listed: {}", error.message()),
                "allow the user Weir runs as to read and enter it");
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
  if (failed) {
    PluginError error = why_not_listed(failed);
    error.path = folder.string();
    return std::unexpected(std::move(error));
  }
  std::ranges::sort(found, {}, &fs::path::native);  // in one folder the order of names
  return found;
}

}  // namespace weir
