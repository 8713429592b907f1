#include "user_process.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

namespace weir::testing {

UserProcess::UserProcess(const std::filesystem::path& folder, const std::string& name) {
  std::array<int, 2> in{}, out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error("no pipe");
  }
  const FileDescriptor child_in(in[0]), child_out(out[1]);
  input_ = FileDescriptor(in[1]);
  output_ = FileDescriptor(out[0]);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ > 0) return;
  dup2(child_in.fd(), 0);
  dup2(child_out.fd(), 1);
  execl(LOCAL_POSTGRES_USER, LOCAL_POSTGRES_USER, folder.c_str(),
        name.empty() ? nullptr : name.c_str(), nullptr);
  _exit(127);
}

UserProcess::UserProcess(UserProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::move(other.input_)),
      output_(std::move(other.output_)) {}

UserProcess::~UserProcess() {
  if (pid_ > 0) kill();
}

std::string UserProcess::first_line() {
  std::string line;
  for (char byte = 0; byte != '\n'; line += byte) {
    pollfd ready{.fd = output_.fd(), .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 60'000) <= 0) throw std::runtime_error("it says nothing for a minute");
    if (read(output_.fd(), &byte, 1) != 1) throw std::runtime_error("it ended without a line");
  }
  line.pop_back();
  return line;
}

int UserProcess::leave() {
  input_.reset();
  return wait();
}

void UserProcess::kill() {
  ::kill(pid_, SIGKILL);
  wait();
}

int UserProcess::wait() {
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace weir::testing
