#include "store/local/postmaster.hpp"

#include <charconv>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fmt/core.h>

namespace weir::local {
namespace fs = std::filesystem;
namespace {

std::optional<pid_t> process_id(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

bool has_cwd(pid_t process, const fs::path& real) {
  std::error_code unseen;
  return fs::read_symlink(fmt::format("/proc/{}/cwd", process), unseen) == real && !unseen;
}

}  // namespace

std::optional<PidFile> read_pid_file(const fs::path& data) {
  constexpr int pid_line = 1, status_line = 8;  // of PostgreSQL 10 and later
  std::ifstream in(data / "postmaster.pid");
  std::optional<PidFile> found;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == pid_line) {
      const auto pid = process_id(line);
      if (!pid) return std::nullopt;
      found = PidFile{.pid = *pid, .status = ""};
    } else if (number == status_line) {
      found->status = line.substr(0, line.find(' '));  // it is padded
    }
  }
  return found;
}

bool works_in_folder(pid_t process, const fs::path& folder) {
  std::error_code unseen;
  const fs::path real = fs::canonical(folder, unseen);
  return !unseen && has_cwd(process, real);
}

std::vector<pid_t> processes_in(const fs::path& folder) {
  std::vector<pid_t> found;
  std::error_code unseen;
  const fs::path real = fs::canonical(folder, unseen);
  if (unseen) return found;
  for (fs::directory_iterator at("/proc", unseen), end; at != end; at.increment(unseen)) {
    const auto process = process_id(at->path().filename().string());
    if (process && has_cwd(*process, real)) found.push_back(*process);
  }
  return found;
}

bool any_process_in(const fs::path& folder) { return !processes_in(folder).empty(); }

}  // namespace weir::local
