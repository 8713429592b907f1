/// Threads: the caller's, one at a time, and one of its own, which begins with the first exchange.
///
/// Invariants:
/// - Between send() and the take() that returns the reply, only the thread of its own uses the
///   session and reads the request.
/// - What it runs is over when the destructor returns.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "store/worker_store.hpp"

namespace weir::postgres {

/// Makes the exchanges of a session while its owner does something else.
class BackgroundExchange {
 public:
  using Exchange = std::function<Result<ExchangeReply>(const ExchangeRequest&)>;

  /// `exchange` makes one; `notify` is called on the thread when the reply is there.
  BackgroundExchange(Exchange exchange, std::function<void()> notify)
      : exchange_(std::move(exchange)), notify_(std::move(notify)) {}
  BackgroundExchange(const BackgroundExchange&) = delete;
  BackgroundExchange& operator=(const BackgroundExchange&) = delete;

  /// `request` must not change or end before the reply was taken. None may be under way. Where no
  /// thread can be started, the exchange is over when this returns.
  void send(const ExchangeRequest& request);
  /// nullopt: there is no reply yet.
  std::optional<Result<ExchangeReply>> take();
  /// Whether there is a reply to be taken, now or later.
  bool is_under_way() const noexcept { return under_way_; }

 private:
  void run(const std::stop_token& stop);

  const Exchange exchange_;
  const std::function<void()> notify_;
  bool under_way_ = false;  ///< of the caller

  std::mutex mutex_;  // guards what follows, except thread_
  std::condition_variable_any changed_;
  const ExchangeRequest* request_ = nullptr;  ///< to be sent
  std::optional<Result<ExchangeReply>> reply_;
  std::jthread thread_;  // ends before what it uses
};

}  // namespace weir::postgres
