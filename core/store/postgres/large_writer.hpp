#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "store/postgres/reconnecting_session.hpp"
#include "store/worker_store.hpp"

namespace weir::postgres {

/// Writes what is large of runs, one after the other, on a thread and in a session of its own.
///
/// Threads: one at a time. The thread begins with the first write; the destructor waits for the
/// write that is under way.
///
/// Invariants:
/// - A write is returned by take_written() once, unless it was forgotten before.
/// - What is repeated was not written, or is not written twice: the functions see to that.
class LargeWriter {
 public:
  /// `notify` is called, on the thread, when there is something to take.
  /// `log` is told that nothing can be written, once until something is.
  LargeWriter(std::string url, const char* settings, NetworkLimits limits, std::shared_ptr<Log> log,
              std::function<void()> notify)
      : url_(std::move(url)),
        settings_(settings),
        limits_(limits),
        log_(std::move(log)),
        notify_(std::move(notify)) {}
  LargeWriter(const LargeWriter&) = delete;
  LargeWriter& operator=(const LargeWriter&) = delete;

  void write(WorkerId worker, LargeWrite write);
  bool withdraw(RunKey run, TaskId task, int attempt, ShareId share);
  std::vector<LargeWritten> take_written();
  void forget();

 private:
  using Steady = std::chrono::steady_clock::time_point;

  struct Queued {
    WorkerId worker = 0;
    LargeWrite write;
    Steady due{};
    std::chrono::milliseconds pause = pause_min;  ///< if it cannot be written
    bool in_doubt = false;                        ///< an earlier call may still write it
  };

  // Each time the whole value is sent.
  static constexpr std::chrono::milliseconds pause_min{100}, pause_max{2'000};

  void run(const std::stop_token& stop);
  bool attempt(ReconnectingSession& session, Queued& queued, Result<void>& result);
  void tell(const Error& error);

  const std::string url_;
  const char* const settings_;
  const NetworkLimits limits_;
  const std::shared_ptr<Log> log_;
  const std::function<void()> notify_;

  std::mutex mutex_;  // guards what follows, except thread_
  std::condition_variable_any changed_;
  std::list<Queued> queue_;
  std::vector<LargeWritten> written_;
  std::uint64_t forgotten_ = 0;  // times

  bool told_ = false;    // of the thread
  std::jthread thread_;  // ends before what it uses
};

}  // namespace weir::postgres
