#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include <sys/types.h>

namespace weir::local {

/// What a running server says of itself in its data folder's postmaster.pid. May be left over from
/// one that is gone, and its pid anybody's by now: see anyone_in.
struct PidFile {
  pid_t pid = 0;
  std::string status;  ///< "starting", "ready", "stopping"; empty before it has said
};

std::optional<PidFile> read_pid_file(const std::filesystem::path& data);

/// Whether that process works in `folder`; no for one that has ended or is not ours to see.
bool stands_in(pid_t process, const std::filesystem::path& folder);

/// Whether any process does. Every process of a server, orphans included, works in its data folder,
/// so this knows what no pid file does: pids are used again, and zombies have one too.
bool anyone_in(const std::filesystem::path& folder);

}  // namespace weir::local
