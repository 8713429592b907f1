#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
  LargeWriter(std::string url, const char* settings, std::function<void()> notify)
      : url_(std::move(url)), settings_(settings), notify_(std::move(notify)) {}
  LargeWriter(const LargeWriter&) = delete;
  LargeWriter& operator=(const LargeWriter&) = delete;

  void write(WorkerId worker, LargeWrite write);
  std::vector<LargeWritten> take_written();
  void forget();

 private:
  struct Queued {
    WorkerId worker = 0;
    LargeWrite write;
  };

  void run(const std::stop_token& stop);
  bool attempt(ReconnectingSession& session, const Queued& queued, Result<void>& result);

  const std::string url_;
  const char* const settings_;
  const std::function<void()> notify_;

  std::mutex mutex_;  // guards what follows, except thread_
  std::condition_variable_any changed_;
  std::deque<Queued> queue_;
  std::vector<LargeWritten> written_;
  std::uint64_t forgotten_ = 0;  // times
  std::jthread thread_;          // ends before what it uses
};

}  // namespace weir::postgres
