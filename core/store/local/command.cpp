#include "store/local/command.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string_view>
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

/// What a child did last, told to its parent: `started` with its pid, or what failed with its
/// errno.
enum class Stage : std::int32_t { started, become_user, enter_folder, open_log, execute, fork };
struct Report {
  Stage stage;
  std::int32_t value;
};

std::string_view name(Stage stage) {
  constexpr std::array<std::string_view, 6> names = {
      "start", "change to the user", "enter the folder", "open the log", "execute", "fork"};
  return names[static_cast<std::size_t>(stage)];
}

/// Signals held back, so that no handler of ours runs in a child.
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

// Between fork and exec only async-signal-safe calls are allowed, so everything is laid out before,
// and the ids are set by the system calls themselves, which the C library would spread over
// threads.

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

/// A command laid out for execve.
class Program {
 public:
  Program(const Command& command, const Identity& identity)
      : command_(command), identity_(identity) {
    for (const std::string& argument : command.arguments) {
      arguments_.push_back(const_cast<char*>(argument.c_str()));  // execve changes nothing
    }
    arguments_.push_back(nullptr);
  }

  /// The child's way to its program; comes back only when something failed, with errno set.
  Stage execute(int null_device, bool ends_with_parent, pid_t parent) const noexcept {
    if (!become(identity_)) return Stage::become_user;
    if (ends_with_parent) {  // after the ids changed, which clears it
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

  Error failure(const Report& report) const {
    if (report.stage == Stage::enter_folder) {
      return folder_error(fmt::format("enter, as user {},", identity_.name), command_.folder,
                          report.value);
    }
    if (report.stage == Stage::open_log) {
      return folder_error(fmt::format("open, as user {}, the log", identity_.name), command_.log,
                          report.value);
    }
    return unavailable("server_failed",
                       fmt::format("cannot run \"{}\" as user {}: {}: {}",
                                   command_.arguments.front(), identity_.name, name(report.stage),
                                   std::generic_category().message(report.value)),
                       "mend that");
  }

 private:
  const Command& command_;
  const Identity& identity_;
  std::vector<char*> arguments_;
};

/// A pipe from child to parent that closes when the child has become its program.
struct Reports {
  FileDescriptor out, in;
  FileDescriptor null_device{::open("/dev/null", O_RDONLY | O_CLOEXEC)};

  Reports() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) == 0) {
      out = FileDescriptor(ends[0]);
      in = FileDescriptor(ends[1]);
    }
  }

  bool usable() const noexcept { return out && in && null_device; }

  void send(Stage stage, int value) const noexcept {
    const Report report{stage, value};
    [[maybe_unused]] const auto sent = write(in.fd(), &report, sizeof report);
  }

  void send_failure(Stage stage) const noexcept { send(stage, errno); }

  std::vector<Report> read_all() {
    in.reset();
    std::vector<Report> all;
    Report next{};
    for (;;) {
      const ssize_t got = read(out.fd(), &next, sizeof next);
      if (got == sizeof next) {
        all.push_back(next);
      } else if (got >= 0 || errno != EINTR) {
        return all;
      }
    }
  }
};

/// The exit status as a shell counts it.
int reap(pid_t child) noexcept {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::unexpected<Error> no_process(int error_number) {
  return std::unexpected(unavailable("server_failed",
                                     fmt::format("cannot start another process: {}",
                                                 std::generic_category().message(error_number)),
                                     "raise the limit on processes or open files"));
}

}  // namespace

Result<int> run(const Command& command, const Identity& identity) {
  const Program program(command, identity);
  Reports reports;
  if (!reports.usable()) return no_process(errno);
  const pid_t parent = getpid();
  pid_t child = -1;
  {
    const SignalsBlocked blocked;
    child = fork();
    if (child == 0) {
      setsid();
      reports.send_failure(program.execute(reports.null_device.fd(), true, parent));
      _exit(127);
    }
  }
  if (child < 0) return no_process(errno);
  const std::vector<Report> failures = reports.read_all();
  const int status = reap(child);
  if (!failures.empty()) return std::unexpected(program.failure(failures.front()));
  return status;
}

Result<ProcessHandle> start_detached(const Command& command, const Identity& identity) {
  const Program program(command, identity);
  Reports reports;
  if (!reports.usable()) return no_process(errno);
  pid_t between = -1;
  {
    const SignalsBlocked blocked;
    between = fork();
    if (between == 0) {
      setsid();
      const pid_t child = fork();
      if (child < 0) reports.send_failure(Stage::fork);
      if (child != 0) _exit(0);
      reports.send(Stage::started, getpid());
      reports.send_failure(program.execute(reports.null_device.fd(), false, 0));
      _exit(127);
    }
  }
  if (between < 0) return no_process(errno);
  reap(between);
  const std::vector<Report> told = reports.read_all();
  if (told.empty()) return no_process(EAGAIN);
  if (told.back().stage != Stage::started) return std::unexpected(program.failure(told.back()));
  return ProcessHandle::open(told.back().value);
}

bool can_enter(const std::filesystem::path& folder, const Identity& identity) {
  const SignalsBlocked blocked;
  const pid_t child = fork();
  if (child == 0) _exit(become(identity) && chdir(folder.c_str()) == 0 ? 0 : 1);
  return child > 0 && reap(child) == 0;
}

}  // namespace weir::local
