// ctest's fixture around all tests with a database: `hold` keeps the test server running until
// `release`, or until the ctest that started it has ended. So a test need not start a server of its
// own.
#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"
#include "base/process_handle.hpp"
#include "store/local/postmaster.hpp"
#include "store/local/small_file.hpp"
#include "support/test_server.hpp"

namespace {
using weir::FileDescriptor;
using weir::ProcessHandle;

/// The file with the pid of the holder that a ctest started: each ctest has a holder of its own.
std::filesystem::path holder_file(pid_t ctest) {
  return weir::testing::test_server_folder() / ("holder-" + std::to_string(ctest));
}

/// Tests that are killed with their ctest do not stop the server, even if they are its last users.
/// So the holder checks until the server has stopped, or others have used it for half a minute.
void await_server_stop(const std::filesystem::path& cluster) {
  for (int checks = 0; checks < 300 && weir::local::any_process_in(cluster / "data"); ++checks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const weir::LocalPostgres joined = weir::testing::join_test_server();
  }
}

/// The holder itself: joins the server, closes `ready` when that is done (or writes the error to
/// it), and waits.
int hold(const ProcessHandle& ctest, FileDescriptor ready) {
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  const FileDescriptor stop_signal(signalfd(-1, &end, SFD_CLOEXEC));
  try {
    weir::testing::forget_test_server();  // databases and templates of earlier builds
    std::optional server(weir::testing::join_test_server());
    std::ofstream(holder_file(ctest.pid())) << getpid() << '\n';
    ready.reset();
    std::array<pollfd, 2> events{pollfd{.fd = stop_signal.fd(), .events = POLLIN, .revents = 0},
                                 pollfd{.fd = ctest.pidfd(), .events = POLLIN, .revents = 0}};
    poll(events.data(), events.size(), -1);
    std::filesystem::remove(holder_file(ctest.pid()));
    const std::filesystem::path cluster = server->cluster();
    server.reset();
    if (events[1].revents != 0) await_server_stop(cluster);
    weir::testing::forget_test_server();  // its files take up memory
    return 0;
  } catch (const std::exception& failure) {
    const std::string_view why = failure.what();
    return ready && write(ready.fd(), why.data(), why.size()) >= 0 ? 1 : 2;
  }
}

int start_holding() {
  const auto ctest = ProcessHandle::open(getppid());
  int ends[2];
  if (!ctest || pipe2(ends, O_CLOEXEC) != 0) return 1;
  const FileDescriptor answer(ends[0]);
  FileDescriptor ready(ends[1]);
  if (fork() == 0) {
    setsid();
    const FileDescriptor null_device(open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int stream : {0, 1, 2}) dup2(null_device.fd(), stream);
    return hold(*ctest, std::move(ready));
  }
  ready.reset();
  std::array<char, 4096> why{};
  const ssize_t size = read(answer.fd(), why.data(), why.size() - 1);
  std::fputs(size == 0 ? "the test server is up\n" : why.data(), stdout);
  return size == 0 ? 0 : 1;
}

int release() {
  const std::string pid = weir::local::read_small_file(holder_file(getppid()));
  if (pid.empty()) return 0;  // it ended with its ctest
  const auto holder = ProcessHandle::open(std::stoi(pid));
  if (!holder) return 0;
  holder->signal(SIGTERM);
  return holder->wait(std::chrono::seconds(60)) ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view task = count == 2 ? arguments[1] : "";
  if (task == "hold") return start_holding();
  if (task == "release") return release();
  std::fputs("usage: weir_test_server_holder hold|release\n", stderr);
  return 2;
}
