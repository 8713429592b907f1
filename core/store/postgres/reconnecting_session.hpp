/// A session that outlives its connections, receives notifications and can wait for them.
///
/// Threads: one at a time, except wake(), and wait_for_wake() beside another call.
///
/// Invariants:
/// - Receivers listen on the connection of the current session: they are made after it and
///   destroyed before it.
/// - The end of a session waits for nobody: not even for the server, which may be gone.
/// - A session that turns out to be broken is closed immediately; the next call makes a new one. So
///   does a call that finds that the server has ended the session since the last one: it is not
///   answered by an error. A call during which the session breaks is.
#pragma once
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "store/postgres/notification_receiver.hpp"
#include "store/postgres/session.hpp"
#include "store/postgres/wakeup_event.hpp"

namespace weir::postgres {

/// No call of `weir serve` waits longer for what somebody has locked (L8): it is repeated later.
inline constexpr const char* lock_limit = "set lock_timeout = '2s'";

class ReconnectingSession {
 public:
  struct Channel {
    const char* name;
    /// Notes the notification, for the condition given to wait().
    NotificationReceiver::OnNotification on_notification;
  };
  using Channels = std::vector<Channel>;

  /// `settings` is executed for each connection; it must outlive the session: a literal.
  ReconnectingSession(std::string url, WakeupEvent wakeup, Channels channels,
                      const char* settings = nullptr, NetworkLimits limits = {})
      : url_(std::move(url)),
        wakeup_(std::move(wakeup)),
        channels_(std::move(channels)),
        settings_(settings),
        limits_(limits) {}
  ReconnectingSession(const ReconnectingSession&) = delete;
  ReconnectingSession& operator=(const ReconnectingSession&) = delete;
  ~ReconnectingSession() { end(); }

  /// Makes sure that there is a session that listens: the current one, or a new one. Errors:
  /// unavailable.
  Result<void> connect();

  bool is_open() const noexcept { return session_ && session_->is_open(); }

  /// As Session::query(), after connect(). If the session broke during the call, is_open() is false
  /// afterwards.
  Result<pqxx::result> query(const char* sql, const Params& params = {},
                             const BinaryParams& binary = {});

  /// Returns when a notification arrived after which `condition` returns true (true), when another
  /// one arrived, when wake() was called since the last wait, or after `limit`; immediately when
  /// the session turns out to be broken (true). Does not connect: without a session it only waits
  /// for wake().
  bool wait(std::chrono::milliseconds limit, const std::function<bool()>& condition);

  /// Returns when wake() was called since the last wait, or after `limit`. Uses no session.
  void wait_for_wake(std::chrono::milliseconds limit) { wakeup_.wait(-1, limit); }

  /// Ends the current wait, or the next one.  [any thread]
  void wake() noexcept { wakeup_.wake(); }

 private:
  void end() noexcept;
  bool read_notifications(const std::function<bool()>& condition);

  const std::string url_;
  WakeupEvent wakeup_;
  const Channels channels_;
  const char* const settings_;
  const NetworkLimits limits_;
  std::unique_ptr<Session> session_;
  std::list<NotificationReceiver> receivers_;
};

}  // namespace weir::postgres
