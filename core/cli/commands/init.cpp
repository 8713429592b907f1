#include "cli/commands/init.hpp"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "cli/command_line/grammar.hpp"
#include "cli/init_files.hpp"
#include "cli/new_files.hpp"
#include "cli/plugin_template.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

std::vector<NewFile> files() {
  std::vector<NewFile> all;
  for (const InitFile& file : init_files())
    all.push_back({std::string(file.name), std::string(file.text)});
  all.push_back({"src/hello.cpp", new_flow_source("hello")});
  return all;
}

constexpr std::string_view init_footer =
    R"(Writes flows.yaml, .gitignore, plugins/, and src/ with a CMake project that puts
its plugin into plugins/. Existing files are never overwritten.

Examples:
  weir init                     here
  weir init shop                in shop/, which is created if it does not exist
  cmake -S src -B build && cmake --build build     then builds the first plugin)";

ExitCode run(const Init& command, const Globals&, Console& console) {
  std::error_code ec;
  const fs::path folder = fs::absolute(command.folder, ec).lexically_normal();
  const fs::path root = folder.has_filename() ? folder : folder.parent_path();
  std::vector<std::string> existing;
  const std::vector<NewFile> new_files = files();
  for (const NewFile& file : new_files)
    if (fs::exists(fs::symlink_status(root / file.name, ec)))
      existing.push_back((command.folder / file.name).lexically_normal().string());
  if (!existing.empty())
    return console.fail(Error{
        .code = ErrorCode::conflict,
        .kind = "files_exist",
        .message = fmt::format("already there: {}; nothing was written", fmt::join(existing, ", ")),
        .hint = "name another folder, or move them away"});

  if (const auto made = make_folders(root / "plugins"); !made) return console.fail(made.error());
  for (const NewFile& file : new_files) {
    const fs::path path = root / file.name;
    if (const auto made = make_folders(path.parent_path()); !made)
      return console.fail(made.error());
    if (const auto written = write_new(path, file.text); !written)
      return console.fail(written.error());
    console.print(
        fmt::format("wrote {}\n", (command.folder / file.name).lexically_normal().string()));
  }
  const bool here = root == fs::current_path(ec);
  console.print(
      fmt::format("\nNext:\n{}  cmake -S src -B build && cmake --build build\n  weir flows list\n",
                  here ? "" : fmt::format("  cd {}\n", command.folder.string())));
  return ExitCode::ok;
}

}  // namespace

void declare_init(Grammar& grammar) {
  auto [arguments, init] =
      grammar.command<Init>(grammar.root(), "init",
                            "Write a configuration and a first plugin's source", init_footer, run);
  arguments.argument("DIR", init.folder, "The folder; default: here");
}

}  // namespace weir::cli
