#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/process_handle.hpp"
#include "store/local/identity.hpp"

namespace weir::local {

/// A program to run, its working folder, and the file its output is appended to. The file is opened
/// as the user the program runs as, never as root.
struct Command {
  std::vector<std::string> arguments;
  std::filesystem::path folder;
  std::filesystem::path log;
};

/// Runs `command` to its end; it ends with the calling thread. Its exit status, as a shell counts
/// it.
Result<int> run(const Command& command, const Identity& identity);

/// Starts `command` in a session of its own: neither the terminal's signals nor the end of this
/// process reach it.
Result<ProcessHandle> start_detached(const Command& command, const Identity& identity);

/// Whether that user can reach `folder` through all its parents.
bool can_enter(const std::filesystem::path& folder, const Identity& identity);

}  // namespace weir::local
