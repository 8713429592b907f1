#include "support/program.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/temporary_folder.hpp"

namespace weir::testing {
namespace {

namespace fs = std::filesystem;

struct Streams {
  fs::path in = "/dev/null";
  fs::path out, err;
};

std::vector<std::string> plain_environment() {
  std::vector<std::string> all = {"LC_ALL=C.UTF-8"};
  for (const char* name : {"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "ASAN_OPTIONS",
                           "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) all.push_back(std::string(name) + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

pid_t spawn(const fs::path& program, const std::vector<std::string>& arguments,
            const fs::path& folder, std::vector<std::string> environment, const Streams& streams) {
  std::vector<std::string> words = {program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, streams.in.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, streams.out.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_addopen(&actions, 2, streams.err.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, pointers(words).data(),
                                   pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::system_error(failed, std::generic_category(), program.string());
  return pid;
}

int ended(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Ran run_program(const fs::path& program, const std::vector<std::string>& arguments,
                const RunOptions& options) {
  const TemporaryFolder files;
  const Streams streams{files.write("in", options.input), files.path() / "out",
                        files.path() / "err"};
  std::vector<std::string> environment = plain_environment();
  for (const auto& [name, value] : options.environment) environment.push_back(name + "=" + value);
  const int code =
      ended(spawn(program, arguments, options.folder, std::move(environment), streams));
  return {code, text(streams.out), text(streams.err)};
}

Running::Running(const fs::path& program, const std::vector<std::string>& arguments,
                 const fs::path& folder, const fs::path& log)
    : pid_(spawn(program, arguments, folder, plain_environment(), {"/dev/null", log, log})) {}

Running::~Running() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ended(pid_);
}

void Running::signal(int number) const { ::kill(pid_, number); }

int Running::wait() { return ended(std::exchange(pid_, -1)); }

}  // namespace weir::testing
