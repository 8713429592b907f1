#include "serve/worker_process.hpp"

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

constexpr std::chrono::seconds death_patience{5};  // to record its crash, and dump its core
// Plugins get the environment of `weir serve`.
std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (char** variable = environ; *variable != nullptr; ++variable) all.emplace_back(*variable);
  return all;
}

std::optional<int> farewell_in(std::string_view words) {
  if (!words.starts_with(control::farewell)) return std::nullopt;
  words.remove_prefix(control::farewell.size() + 1);
  int status = 0;
  const auto read = std::from_chars(words.data(), words.data() + words.size(), status);
  return read.ec == std::errc() && status >= 0 && status <= 255 ? status : EXIT_FAILURE;
}

}  // namespace

Result<WorkerProcess> WorkerProcess::start(const ServeOrders& orders,
                                           const FlightRecorder& recorder) {
  const auto memory = written(orders);
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
  WorkerProcessEnd how{};
  int told = 0;
  bool speaks = true;
  std::optional<steady_clock::time_point> must_be_dead;
  for (;;) {
    // Checked before the last messages are read, so that none is missed.
    const auto end = process_.wait(std::chrono::milliseconds(0));
    while (const auto words = control::received(control_)) {
      if (const auto status = farewell_in(*words)) how.farewell = status;
      if (*words == control::crashing && !must_be_dead)
        must_be_dead = steady_clock::now() + death_patience;
    }
    if (end) {
      how.end = *end;
      return how;
    }
    for (const int count = signals.count(); told < count; ++told)
      control::send(control_, told == 0 ? control::drain : control::stop);
    if (must_be_dead && steady_clock::now() >= *must_be_dead) process_.signal(SIGKILL);
    std::array<pollfd, 3> sources = {
        {{.fd = process_.pidfd(), .events = POLLIN, .revents = 0},
         {.fd = signals.fd(), .events = POLLIN, .revents = 0},
         {.fd = speaks ? control_.fd() : -1, .events = POLLIN, .revents = 0}}};
    ::poll(sources.data(), sources.size(), must_be_dead ? 100 : -1);
    if ((sources[2].revents & POLLHUP) != 0) speaks = false;  // only the process's end can follow
  }
}

}  // namespace weir
