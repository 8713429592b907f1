#pragma once
#include <array>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir::testing {

/// A process of its own that does `work` and answers with what it returns, or with "threw: …".
/// Killed and reaped when the object goes.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<std::string()>& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
      const std::string answer = answer_of(work);
      const bool told =
          ::write(ends[1], answer.data(), answer.size()) == static_cast<::ssize_t>(answer.size());
      ::_exit(told ? 0 : 1);
    }
    ::close(ends[1]);
    answers_ = ends[0];
  }
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), answers_(std::exchange(other.answers_, -1)) {}
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess() {
    kill();
    reap();
    if (answers_ >= 0) ::close(answers_);
  }

  ::pid_t pid() const noexcept { return pid_; }

  void kill() const noexcept {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
  }

  /// Waits for its end; nullopt when it was killed before it could answer.
  std::optional<std::string> answer() {
    std::string text;
    std::array<char, 4096> buffer;
    ::ssize_t size = 0;
    while ((size = ::read(answers_, buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    const int status = reap();
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? std::optional(text) : std::nullopt;
  }

 private:
  static std::string answer_of(const std::function<std::string()>& work) {
    try {
      return work();
    } catch (const std::exception& error) {
      return std::string("threw: ") + error.what();
    }
  }

  int reap() noexcept {
    int status = 0;
    if (pid_ > 0) ::waitpid(std::exchange(pid_, -1), &status, 0);
    return status;
  }

  ::pid_t pid_ = -1;
  int answers_ = -1;
};

}  // namespace weir::testing
