#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/process_handle.hpp"
#include "store/local/identity.hpp"

namespace weir::local {

/// A program to run, its working folder, and the file its output is appended to. The file is opened
/// by the user that the program runs as, never by root on that user's behalf.
struct Command {
  std::vector<std::string> arguments;
  std::filesystem::path folder;
  std::filesystem::path log;
};

/// Runs `command` to its end; it is killed when the calling thread ends. Returns its exit status as
/// a shell does: 128 + signal when a signal ended it.
Result<int> run(const Command& command, const Identity& identity);

/// Starts `command` in a session of its own: neither signals of the terminal nor the end of this
/// process affect it.
Result<ProcessHandle> start_detached(const Command& command, const Identity& identity);

/// Whether that user can reach `folder` through all its parents.
bool can_enter(const std::filesystem::path& folder, const Identity& identity);

}  // namespace weir::local
