/// Threads: the one that has the child makes it and ends it; wait() is called by the one that called
/// the step; stop() by any, but not once the call has ended.
///
/// Invariant: it ends once, by answer(), crash() or give_back(), unless wait() gave it up.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <weir/abi/async.h>
#include <weir/abi/plugin.h>

#include "isolated/stop_line.hpp"
#include "isolated/wire.hpp"

namespace weir {

/// Passes a step's result on to the host. Returns what the step's `run` returns, or completes its
/// call with.
std::int32_t pass_on(const ResultMessage& result, const weir_host& host, weir_call* call);

/// Fails the call with a code of ours, in the same way.
std::int32_t fail_call(const weir_host& host, weir_call* call, std::string_view code,
                       std::string_view message);

/// A call that is pending in a child: its `run` has returned there, and its result will come. In the
/// worker it is deferred; where that cannot be, the thread that called the step waits.
class PendingCall {
 public:
  /// Defers the call if it can be. `label`: `step "orders.fetch" of plugin "shop"`, which outlives it.
  PendingCall(const weir_host& host, weir_call* call, std::uint64_t number,
              const std::string& label, std::shared_ptr<StopLine> stops);
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  bool is_deferred() const noexcept { return async_ != nullptr; }
  std::uint64_t number() const noexcept { return number_; }
  const std::string& label() const noexcept { return label_; }

  void log(std::int32_t level, std::string_view text);
  void answer(const ResultMessage& result);
  /// It ended the child, in which it was pending.
  void crash(std::string_view message);
  /// The child ended for another reason: it is to begin again, and nothing is charged.
  void give_back();

  /// How a call ended that is not deferred.
  struct End {
    enum class As { answered, given_back, given_up };
    As as = As::answered;
    std::int32_t returned = WEIR_FAILED;  ///< what `run` returns, when it was answered
  };

  /// Waits for the end of a call that is not deferred. When it is cancelled, the step is told to stop;
  /// the call is given up if it does not within `grace`.
  End wait(std::chrono::milliseconds grace);

 private:
  void end(const std::function<std::int32_t()>& tell, End::As as);

  const weir_host& host_;
  weir_call* call_;
  const std::uint64_t number_;
  const std::string& label_;
  const std::shared_ptr<StopLine> stops_;
  const weir_async* async_ = nullptr;  ///< null: wait() waits

  std::mutex mutex_;  // guards what follows, and for wait() the use of call_
  std::condition_variable ended_;
  bool has_ended_ = false;
  End end_;
};

}  // namespace weir
