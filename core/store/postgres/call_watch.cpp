#include "store/postgres/call_watch.hpp"

#include <mutex>
#include <utility>
#include <vector>

#include <signal.h>

namespace weir::postgres {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Of this process; never destroyed, because threads that are left behind may still call.
struct CallWatch::All {
  std::mutex mutex;  // guards what follows, and Call::told_
  std::vector<Call*> calls;
  CallWatch* watch = nullptr;
};

CallWatch::All& CallWatch::all() {
  static All& all = *new All;
  return all;
}

CallWatch::Tell CallWatch::into(std::shared_ptr<Log> log) {
  return [log = std::move(log)](milliseconds lasted, bool over) {
    const double seconds = std::chrono::duration<double>(lasted).count();
    if (over)
      log->info("a call to the database is over after {:.1f} s", seconds);
    else
      log->warn("a call to the database has had no answer for {:.1f} s", seconds);
  };
}

CallWatch::CallWatch(milliseconds limit, Tell tell) : limit_(limit), tell_(std::move(tell)) {
  const std::lock_guard lock(all().mutex);
  before_ = std::exchange(all().watch, this);
  // Signals are for other threads, which may come to wait for them later.
  sigset_t every, before;
  ::sigfillset(&every);
  ::pthread_sigmask(SIG_SETMASK, &every, &before);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

CallWatch::~CallWatch() {
  const std::lock_guard lock(all().mutex);
  all().watch = before_;
  thread_.request_stop();
}

void CallWatch::run(const std::stop_token& stop) {
  std::unique_lock lock(all().mutex);
  while (!stop.stop_requested()) {
    if (all().watch == this)
      for (Call* const call : all().calls) {
        const auto lasted = steady_clock::now() - call->began_;
        if (call->told_ || lasted < limit_) continue;
        call->told_ = true;
        tell_(std::chrono::floor<milliseconds>(lasted), false);
      }
    changed_.wait_for(lock, stop, limit_ / 4, [] { return false; });
  }
}

CallWatch::Call::Call() {
  const std::lock_guard lock(all().mutex);
  all().calls.push_back(this);
}

CallWatch::Call::~Call() {
  const std::lock_guard lock(all().mutex);
  std::erase(all().calls, this);
  if (told_ && all().watch != nullptr)
    all().watch->tell_(std::chrono::floor<milliseconds>(steady_clock::now() - began_), true);
}

}  // namespace weir::postgres
