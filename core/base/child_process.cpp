#include "base/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <system_error>

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.hpp"

namespace weir {
namespace {

std::unexpected<Error> no_process(const std::filesystem::path& program, int error) {
  return std::unexpected(Error{.code = ErrorCode::unavailable,
                               .kind = "no_process",
                               .message = fmt::format("cannot start {}: {}", program.native(),
                                                      std::generic_category().message(error)),
                               .hint = "raise the limit on processes, open files or memory"});
}

// The attributes and file actions for posix_spawn; the destructor frees them.
class Spawn {
 public:
  Spawn() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  void open_null(int as, int mode) {
    posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", mode, 0);
  }
  void inherit(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  void close_from(int fd) { posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }

  // Returns 0, or an error number as in errno.
  int run(pid_t& pid, const char* program, char* const* arguments, char* const* environment) {
    return posix_spawn(&pid, program, &actions_, &attributes_, arguments, environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts)
    all.push_back(const_cast<char*>(text.c_str()));  // posix_spawn does not write through them
  all.push_back(nullptr);
  return all;
}

// Children that were killed and have not ended yet: the kernel keeps them, in a call that nothing interrupts. They are
// reaped when the next child is started.
class Unreaped {
 public:
  static Unreaped& of_process() {
    static auto& all = *new Unreaped;  // it outlives what is destroyed when the process ends
    return all;
  }

  void add(ProcessHandle process) {
    const std::scoped_lock lock(mutex_);
    processes_.push_back(std::move(process));
  }
  void reap() {
    const std::scoped_lock lock(mutex_);
    std::erase_if(processes_, [](const ProcessHandle& each) {
      return each.wait(std::chrono::milliseconds(0));
    });
  }

 private:
  std::mutex mutex_;
  std::vector<ProcessHandle> processes_;
};

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildCommand& command) {
  Unreaped::of_process().reap();
  Spawn spawn;
  spawn.open_null(0, O_RDONLY);
  if (command.quiet) {
    spawn.open_null(1, O_WRONLY);
    spawn.open_null(2, O_WRONLY);
  }
  int last = 2;
  for (const auto& inherited : command.inherited) last = std::max(last, inherited.as);
  // Copies whose numbers are above all targets, so that no dup2 closes what a later one needs.
  std::vector<FileDescriptor> copies;
  for (const auto& inherited : command.inherited) {
    copies.emplace_back(::fcntl(inherited.fd, F_DUPFD_CLOEXEC, last + 1));
    if (!copies.back()) return no_process(command.program, errno);
    spawn.inherit(copies.back().fd(), inherited.as);
  }
  spawn.close_from(last + 1);

  std::vector<std::string> arguments = {command.program.filename() == "exe" ? "weir"
                                                                            : command.program};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  pid_t pid = -1;
  if (const int error = spawn.run(pid, command.program.c_str(), pointers(arguments).data(),
                                  pointers(command.environment).data());
      error != 0)
    return no_process(command.program, error);
  WEIR_ASSERT(pid > 1);  // -pid names its group: -1 would be every process, 0 this one's group
  auto process = ProcessHandle::open(pid);
  if (!process) {  // no descriptor left: the child exists all the same, as nothing has reaped it
    const int error = errno;
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return no_process(command.program, error);
  }
  return ChildProcess(*std::move(process));
}

ChildProcess::~ChildProcess() {
  if (!reaped_) kill();
}

std::optional<ProcessEnd> ChildProcess::wait(std::chrono::milliseconds patience) {
  if (reaped_) return end_;
  if (!process_.has_ended(patience)) return std::nullopt;
  ::kill(-pid(), SIGKILL);  // before the reaping, which frees the group's id for another group
  end_ = process_.reap(std::chrono::milliseconds(0));
  reaped_ = true;
  return end_;
}

void ChildProcess::signal(int number) const noexcept {
  if (!reaped_) process_.signal(number);
}

ProcessEnd ChildProcess::kill(std::chrono::milliseconds patience) {
  if (!reaped_) ::kill(-pid(), SIGKILL);
  signal(SIGKILL);  // it may have moved to another group
  if (!wait(patience) && !reaped_) {
    Unreaped::of_process().add(std::move(process_));
    reaped_ = true;  // not here
  }
  if (!end_) end_ = ProcessEnd{.by_signal = true, .number = SIGKILL};
  return *end_;
}

std::vector<std::string> sanitizer_variables() {
  std::vector<std::string> all;
#ifdef WEIR_BUILT_WITH_SANITIZERS
  for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
    const char* const value = std::getenv(name);
    all.push_back(
        fmt::format("{}={}:handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:"
                    "detect_leaks=0",
                    name, value != nullptr ? value : ""));
  }
#endif
  return all;
}

void end_with_parent(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(EXIT_FAILURE);
}

}  // namespace weir
