#include "serve/postgres_keeper.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <weir/supervisor/thread_child.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds pause_first = 100ms;
constexpr milliseconds pause_longest = 5s;
constexpr auto lasting = 30s;  // a server that ran so long is started again without a long pause
constexpr milliseconds look_every = 200ms;
constexpr int looks_max = 5;         // at a shutdown that waits for sessions
constexpr auto start_patience = 5s;  // of one try: what it began goes on

class Keeper {
 public:
  Keeper(LocalPostgres& server, const std::function<bool()>& ending, Log& log, StopSignal stop)
      : server_(server), ending_(ending), log_(log), stop_(std::move(stop)) {}

  void run() {
    while (const auto end = wait_for_end()) {
      if (end->shut_down && ending_()) {
        log_.info("the private PostgreSQL has ended ({})", end->how);
        return;
      }
      log_.error("the private PostgreSQL has ended ({}): it is started again", end->how);
      if (!start_again()) return;
    }
  }

 private:
  /// nullopt: a stop was requested.
  std::optional<LocalPostgres::End> wait_for_end() {
    // A second, so that a request to end that came with the shutdown, as the system's, is noticed.
    int looks_at_shutdown = 0;
    while (!stop_.stop_requested()) {
      if (auto end = server_.wait_for_end(look_every)) return end;
      looks_at_shutdown = server_.is_shutting_down() && !ending_() ? looks_at_shutdown + 1 : 0;
      if (looks_at_shutdown == looks_max) server_.end_sessions();
    }
    return std::nullopt;
  }

  /// False: a stop was requested.
  bool start_again() {
    const auto ended = Clock::now();
    if (ended - started_ >= lasting) pause_ = pause_first;
    std::string told;  // what kept it from starting
    for (;; pause_ = std::min(2 * pause_, pause_longest)) {
      if (stop_.wait_for(pause_)) return false;
      const auto running =
          server_.start_again(start_patience, [this] { return stop_.stop_requested(); });
      if (running) break;
      if (stop_.stop_requested()) return false;
      if (std::exchange(told, running.error().kind) != running.error().kind)
        log_.error("the private PostgreSQL cannot be started yet, retrying: {}",
                   to_string(running.error()));
    }
    started_ = Clock::now();
    pause_ = std::min(2 * pause_, pause_longest);
    log_.info("the private PostgreSQL runs again, after {:.1f} s",
              std::chrono::duration<double>(started_ - ended).count());
    return true;
  }

  LocalPostgres& server_;
  const std::function<bool()>& ending_;
  Log& log_;
  const StopSignal stop_;
  Clock::time_point started_{};
  milliseconds pause_ = pause_first;
};

}  // namespace

ChildSpec postgres_keeper(std::shared_ptr<LocalPostgres> server, std::function<bool()> ending,
                          std::shared_ptr<Log> log) {
  return thread_child(
      "postgres",
      [server = std::move(server), ending = std::move(ending),
       log = std::move(log)](const StopSignal& stop) { Keeper(*server, ending, *log, stop).run(); },
      Restart::transient, Shutdown::forever());
}

}  // namespace weir
