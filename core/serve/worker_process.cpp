#include "serve/worker_process.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include "serve/control_socket.hpp"

namespace weir {
namespace {

constexpr std::chrono::seconds crash_timeout{5};  // to record its crash, and dump its core
constexpr std::chrono::milliseconds kill_poll{100};
// Plugins get the environment of `weir serve`.
std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
  return all;
}

std::optional<int> exit_status_in(std::string_view message) {
  if (!message.starts_with(control::exited)) return std::nullopt;
  message.remove_prefix(std::min(control::exited.size() + 1, message.size()));
  int status = 0;
  const auto read = std::from_chars(message.data(), message.data() + message.size(), status);
  return read.ec == std::errc() && status >= 0 && status <= 255 ? status : EXIT_FAILURE;
}

}  // namespace

Result<WorkerProcess> WorkerProcess::start(const ServeOrders& orders,
                                           const FlightRecorder& recorder) {
  const auto memory = write_orders(orders);
  if (!memory) return std::unexpected(memory.error());
  auto ends = control::make_pair();
  if (!ends) return std::unexpected(ends.error());
  auto process = ChildProcess::start({.arguments = {"internal", "work"},
                                      .inherited = {{memory->fd(), orders_fd},
                                                    {ends->second.fd(), control_fd},
                                                    {recorder.memory().fd(), recorder_fd}},
                                      .environment = environment()});
  if (!process) return std::unexpected(std::move(process.error()));
  return WorkerProcess(*std::move(process), std::move(ends->first));
}

void WorkerProcess::pass_on(int signals) {
  for (; passed_on_ < signals; ++passed_on_)
    control::send(control_, passed_on_ == 0 ? control::drain : control::stop);
}

void WorkerProcess::count_crash(const std::string& sha256) {
  control::send_crashed(control_, sha256);
}

std::optional<WorkerProcessEnd> WorkerProcess::check() {
  using std::chrono::steady_clock;
  // Checked before the last messages are read, so that none is missed.
  const auto end = process_.wait(std::chrono::milliseconds(0));
  while (const auto message = control::try_receive(control_)) {
    if (const auto status = exit_status_in(*message)) exit_status_ = status;
    if (auto sha256 = control::crashed_plugin(*message)) crashes_.push_back(*std::move(sha256));
    if (*message == control::tried) pass_on(1);
    if (*message == control::crashing && !kill_at_) kill_at_ = steady_clock::now() + crash_timeout;
  }
  if (end) return WorkerProcessEnd{.exit_status = exit_status_, .end = *end};
  if (kill_at_ && steady_clock::now() >= *kill_at_) process_.signal(SIGKILL);
  pollfd control{.fd = control_.fd(), .events = POLLIN, .revents = 0};
  if (connected_ && ::poll(&control, 1, 0) > 0 && (control.revents & POLLHUP) != 0)
    connected_ = false;  // only the process's end can follow
  return std::nullopt;
}

std::array<pollfd, 2> WorkerProcess::sources() const {
  return {{{.fd = process_.pidfd(), .events = POLLIN, .revents = 0},
           {.fd = connected_ ? control_.fd() : -1, .events = POLLIN, .revents = 0}}};
}

std::optional<std::chrono::milliseconds> WorkerProcess::poll_limit() const {
  return kill_at_ ? std::optional(kill_poll) : std::nullopt;
}

}  // namespace weir
