#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/new_files.hpp"
#include "cli/plugin_template.hpp"

namespace weir::cli {

ExitCode run(const PluginsNew& command, const Globals&, Console& console) {
  namespace fs = std::filesystem;
  if (const auto named = check_plugin_name(command.name); !named)
    return console.fail(named.error());
  const auto language = command.language == "c"      ? PluginLanguage::c
                        : command.language == "rust" ? PluginLanguage::rust
                                                     : PluginLanguage::cpp;
  const fs::path shown = command.folder.value_or(command.name).lexically_normal();
  std::error_code ec;
  const fs::path folder = fs::absolute(shown, ec).lexically_normal();
  const fs::path root = folder.has_filename() ? folder : folder.parent_path();
  if (fs::exists(fs::symlink_status(root, ec)) &&
      !(fs::is_directory(root, ec) && fs::is_empty(root, ec)))
    return console.fail(
        Error{.code = ErrorCode::conflict,
              .kind = "files_exist",
              .message = fmt::format("already there: {}; nothing was written", shown.string()),
              .hint = "name another folder behind the plugin's name, or move it away"});

  if (const auto made = make_folders(root); !made) return console.fail(made.error());
  for (const NewFile& file : new_plugin(language, command.name)) {
    if (const auto written = write_new(root / file.name, file.text); !written)
      return console.fail(written.error());
    console.print(fmt::format("wrote {}\n", (shown / file.name).string()));
  }
  console.print(
      fmt::format("\nNext:\n  cd {}\n  cmake -B build && cmake --build build\n  ctest --test-dir "
                  "build\n",
                  shown.string()));
  return ExitCode::ok;
}

}  // namespace weir::cli
