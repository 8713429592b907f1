/// A session that outlives its connections, receives notifications and can wait for them.
///
/// Threads: one at a time, except wake().
///
/// Invariants:
/// - Ears listen on the connection of the current session: they are made after it and destroyed
///   before it.
/// - A session that turns out to be broken is closed immediately; the next call makes a new one.
#pragma once
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "store/postgres/doorbell.hpp"
#include "store/postgres/ear.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {

class LastingSession {
 public:
  struct Channel {
    const char* name;
    Ear::Heard heard;  ///< notes the notification, for the condition given to wait()
  };
  using Channels = std::vector<Channel>;

  LastingSession(std::string url, Doorbell doorbell, Channels channels)
      : url_(std::move(url)), doorbell_(std::move(doorbell)), channels_(std::move(channels)) {}
  LastingSession(const LastingSession&) = delete;
  LastingSession& operator=(const LastingSession&) = delete;

  /// Makes sure that there is a session that listens: the current one, or a new one. Errors:
  /// unavailable.
  Result<void> connect();

  /// As Session::query(), after connect().
  Result<pqxx::result> query(const char* sql, const Params& params = {});

  /// Returns when a notification arrived after which `enough` returns true (true), when another one
  /// arrived, when wake() was called since the last wait, or after `limit`; immediately when the
  /// session turns out to be broken (true). Does not connect: without a session it only waits for
  /// wake().
  bool wait(std::chrono::milliseconds limit, const std::function<bool()>& enough);

  /// Ends the current wait, or the next one.  [any thread]
  void wake() noexcept { doorbell_.ring(); }

 private:
  bool is_open() const noexcept { return session_ && session_->is_open(); }
  void end() noexcept;
  bool hear(const std::function<bool()>& enough);

  const std::string url_;
  Doorbell doorbell_;
  const Channels channels_;
  std::unique_ptr<Session> session_;
  std::list<Ear> ears_;
};

}  // namespace weir::postgres
