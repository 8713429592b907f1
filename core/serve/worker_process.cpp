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

#include <poll.h>
#include <unistd.h>

#include "serve/control_socket.hpp"

namespace weir {
namespace {

constexpr std::chrono::seconds crash_timeout{5};  // to record its crash, and dump its core
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

WorkerProcessEnd WorkerProcess::wait(StopSignals& signals) {
  using std::chrono::steady_clock;
  WorkerProcessEnd result{};
  int sent = 0;
  bool connected = true;
  std::optional<steady_clock::time_point> kill_at;
  for (;;) {
    // Checked before the last messages are read, so that none is missed.
    const auto end = process_.wait(std::chrono::milliseconds(0));
    while (const auto message = control::try_receive(control_)) {
      if (const auto status = exit_status_in(*message)) result.exit_status = status;
      if (*message == control::crashing && !kill_at) kill_at = steady_clock::now() + crash_timeout;
    }
    if (end) {
      result.end = *end;
      return result;
    }
    for (const int count = signals.count(); sent < count; ++sent)
      control::send(control_, sent == 0 ? control::drain : control::stop);
    if (kill_at && steady_clock::now() >= *kill_at) process_.signal(SIGKILL);
    std::array<pollfd, 3> sources = {
        {{.fd = process_.pidfd(), .events = POLLIN, .revents = 0},
         {.fd = signals.fd(), .events = POLLIN, .revents = 0},
         {.fd = connected ? control_.fd() : -1, .events = POLLIN, .revents = 0}}};
    ::poll(sources.data(), sources.size(), kill_at ? 100 : -1);
    if ((sources[2].revents & POLLHUP) != 0)
      connected = false;  // only the process's end can follow
  }
}

}  // namespace weir
