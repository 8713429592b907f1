#include "store/local/command.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "store/local/folder_error.hpp"

namespace weir::local {
namespace {

/// What a child could not do before it ran its program; it reports this to its parent with errno.
enum class Stage : std::int32_t { become_user, enter_folder, open_log, execute };
struct Failure {
  Stage stage;
  std::int32_t error_number;
};

std::string error_text(int error_number) { return std::generic_category().message(error_number); }

/// Blocks all signals, so that no handler of ours runs in a child.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// Between fork and exec only async-signal-safe calls are allowed. So everything is prepared before,
// and the ids are set with the system calls themselves: the C library's functions would apply them
// to all threads.

/// For a process with one thread.
bool become(const Identity& identity) noexcept {
  if (identity.is_us()) return true;
  return syscall(SYS_setgroups, 0, nullptr) == 0 &&
         syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid) == 0 &&
         syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid) == 0;
}

void default_signals() noexcept {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// A command prepared for execve.
class Program {
 public:
  Program(const Command& command, const Identity& identity)
      : command_(command), identity_(identity) {
    for (const std::string& argument : command.arguments) {
      arguments_.push_back(const_cast<char*>(argument.c_str()));  // execve changes nothing
    }
    arguments_.push_back(nullptr);
  }

  /// Runs in the child and becomes the program; returns only when a stage failed, with errno set.
  Stage execute(int null_device, bool ends_with_parent, pid_t parent) const noexcept {
    if (!become(identity_)) return Stage::become_user;
    if (ends_with_parent) {  // after the ids have changed, because that clears it
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(127);
    }
    if (chdir(command_.folder.c_str()) != 0) return Stage::enter_folder;
    umask(077);
    const int log =
        ::open(command_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log < 0) return Stage::open_log;
    if (dup2(null_device, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0) return Stage::open_log;
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    default_signals();
    char locale[] = "LC_ALL=C.UTF-8", path[] = "PATH=/usr/bin:/bin", zone[] = "TZ=UTC";
    char* environment[] = {locale, path, zone, nullptr};
    execve(arguments_.front(), arguments_.data(), environment);
    return Stage::execute;
  }

  Error error(const Failure& failure) const {
    const int why = failure.error_number;
    switch (failure.stage) {
      case Stage::enter_folder:
        return folder_error(fmt::format("enter, as user {},", identity_.name), command_.folder,
                            why);
      case Stage::open_log:
        return folder_error(fmt::format("open, as user {}, the log", identity_.name), command_.log,
                            why);
      case Stage::become_user:
        return unavailable(
            "no_permission",
            fmt::format("cannot become user {}: {}", identity_.name, error_text(why)),
            "run as that user");
      case Stage::execute:
        break;
    }
    return unavailable("server_failed",
                       fmt::format("cannot run \"{}\" as user {}: {}", command_.arguments.front(),
                                   identity_.name, error_text(why)),
                       "fix that program");
  }

 private:
  const Command& command_;
  const Identity& identity_;
  std::vector<char*> arguments_;
};

std::unexpected<Error> no_process() {
  return std::unexpected(unavailable("server_failed",
                                     "cannot start another process: " + error_text(errno),
                                     "raise the limit on processes or open files"));
}

/// Waits for the child's end and returns its exit status as a shell does (128 + signal).
int reap(pid_t child) noexcept {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Starts a child in a session of its own, and returns when it has become its program.
Result<pid_t> spawn(const Command& command, const Identity& identity, bool ends_with_us) {
  const Program program(command, identity);
  const FileDescriptor null_device(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  if (!null_device || pipe2(ends, O_CLOEXEC) != 0) return no_process();
  const FileDescriptor failures(ends[0]);
  FileDescriptor report(ends[1]);  // closes when the child becomes its program

  const pid_t parent = getpid();
  pid_t child = -1;
  {
    const SignalsBlocked blocked;
    child = fork();
    if (child == 0) {
      setsid();
      const Stage stage = program.execute(null_device.fd(), ends_with_us, parent);
      const Failure failure{.stage = stage, .error_number = errno};
      [[maybe_unused]] const auto sent = write(report.fd(), &failure, sizeof failure);
      _exit(127);
    }
  }
  if (child < 0) return no_process();
  report.reset();
  Failure failure{};
  ssize_t got = 0;
  do {
    got = read(failures.fd(), &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof failure) return child;
  reap(child);
  return std::unexpected(program.error(failure));
}

}  // namespace

Result<int> run(const Command& command, const Identity& identity) {
  const Result<pid_t> child = spawn(command, identity, true);
  if (!child) return std::unexpected(child.error());
  return reap(*child);
}

Result<ProcessHandle> start_detached(const Command& command, const Identity& identity) {
  const Result<pid_t> child = spawn(command, identity, false);
  if (!child) return std::unexpected(child.error());
  return ProcessHandle::open(*child);
}

bool can_enter(const std::filesystem::path& folder, const Identity& identity) {
  const SignalsBlocked blocked;
  const pid_t child = fork();
  if (child == 0) _exit(become(identity) && chdir(folder.c_str()) == 0 ? 0 : 1);
  return child > 0 && reap(child) == 0;
}

}  // namespace weir::local
