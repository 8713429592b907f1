/// Threads: calls are made on any; one thread of the watch tells of those that last.
///
/// Invariant: what was told to be slow is told to be over.
#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

#include "base/log.hpp"

namespace weir::postgres {

/// Tells of calls to the database that last longer than `limit`, while they last: what waits for an
/// answer cannot. It watches all sessions of this process while it exists, in place of the watch
/// before it, which must exist for longer.
class CallWatch {
 public:
  /// `lasted` is how long the call has lasted; `over` whether it has ended, with or without an
  /// error. Called on the thread of the watch or on that of the call, one at a time; it must not
  /// call the database.
  using Tell = std::function<void(std::chrono::milliseconds lasted, bool over)>;

  CallWatch(std::chrono::milliseconds limit, Tell tell);

  /// Writes both into the log.
  static Tell into(std::shared_ptr<Log> log);

  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;
  ~CallWatch();

  /// A call that lasts as long as the object. Cost: 0.1 µs.
  class Call {
   public:
    Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call();

   private:
    friend class CallWatch;
    const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    bool told_ = false;
  };

 private:
  struct All;
  static All& all();
  void run(const std::stop_token& stop);

  const std::chrono::milliseconds limit_;
  const Tell tell_;
  CallWatch* before_ = nullptr;
  std::condition_variable_any changed_;
  std::jthread thread_;  // ends before what it uses
};

}  // namespace weir::postgres
