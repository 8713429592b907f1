/// Threads: every member may be called from any thread. No lock is held while something of the plugin
/// or of the worker is called.
///
/// Invariants:
/// - A call is completed once (A3): the first DeferredCall::complete() counts unless the call was over
///   before, and every other is refused.
/// - The attempt of a call gets its result once: from the handler's thread, unless returned() says that
///   the call is pending; then from the completion, which says so.
/// - A call is closed by whoever gives the attempt its result, or ends it; that thread alone uses what
///   was said of the result from then on.
/// - A deferred call is found by its number, and has its place, until it is completed, whatever the
///   handler returns. It has given up its number before it gives up its place (A4).
/// - The callback of on_stop() is not called and does not run any more when complete() has returned, or
///   the next on_stop(), except in its own call; also while on_stop() has not returned yet.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <weir/registry/cancellation.hpp>
#include <weir/sync.hpp>

namespace weir {

/// Decides what counts of what is said of one call, which may be deferred (weir/abi/async.h), and who
/// gives its attempt the result.
template <class Sync = StdSync>
class DeferredCall {
 public:
  using OnStop = std::shared_ptr<typename Cancellation<Sync>::Callback>;

  /// Runs `change`, which is quick, alone. False, and it does not run: the call is closed.
  template <class Change>
  bool change(Change&& change) {
    const std::lock_guard lock(mutex_);
    if (is_closed()) return false;
    std::forward<Change>(change)();
    return true;
  }

  /// Runs `use` alone, also of a closed call: for what is kept for its handler.
  template <class Use>
  decltype(auto) use(Use&& use) {
    const std::lock_guard lock(mutex_);
    return std::forward<Use>(use)();
  }

  /// Defers it, once, as the number that `add` gives; 0: it was deferred before, or `add` gave 0.
  template <class Add>
  std::uint64_t defer(Add&& add) {
    const std::lock_guard lock(mutex_);
    if (is_deferred_) return 0;
    const std::uint64_t number = std::forward<Add>(add)();
    is_deferred_ = number != 0;
    return number;
  }

  struct Returned {
    enum class How : std::uint8_t {
      at_once,     ///< the attempt has the result that was returned
      completed,   ///< it has the result that completed the call before
      pending,     ///< what completes the call gives it its result
      not_pending  ///< it has failed: the call was deferred, and something else was returned
    };
    How how = How::at_once;
    std::int32_t result = 0;  ///< what was returned, or completed the call
  };
  /// The handler has returned.
  Returned returned(std::int32_t result, bool pends) {
    const std::lock_guard lock(mutex_);
    using How = Returned::How;
    if (is_deferred_ && pends && !is_completed_) {
      has_returned_ = true;
      return {How::pending, result};
    }
    is_over_ = true;
    if (!is_deferred_) return {How::at_once, result};
    return {pends ? How::completed : How::not_pending, pends ? completed_with_ : result};
  }

  /// The attempt is over: what comes from now on is too late. False: the call was closed before.
  bool end() {
    const std::lock_guard lock(mutex_);
    return !is_closed() && (is_over_ = true);
  }

  struct Completion {
    bool is_first = false;  ///< otherwise it was completed before, and nothing follows
    bool counts = false;    ///< it is not too late
    bool finishes = false;  ///< it gives the attempt its result, or an empty one: it was pending
    std::int32_t result = 0;
    OnStop on_stop{};  ///< to be ended
  };
  Completion complete(std::int32_t result) {
    const std::lock_guard lock(mutex_);
    if (is_completed_) return {};
    is_completed_ = true;
    completed_with_ = result;
    return {.is_first = true,
            .counts = !is_over_,
            .finishes = has_returned_,
            .result = result,
            .on_stop = std::exchange(on_stop_, {})};
  }

  /// Puts a callback that is not armed yet, or null, in place of the one before, which it ends. False,
  /// and it is never called: the call is closed.
  bool on_stop(const OnStop& callback) {
    OnStop before;
    {
      const std::lock_guard lock(mutex_);
      if (is_closed()) return false;
      before = std::exchange(on_stop_, callback);
    }
    if (before) before->end();
    // Without the lock: it may call at once, and so complete the call, which ends it. Another thread
    // may have done so by now.
    if (callback) callback->arm();
    return true;
  }

 private:
  bool is_closed() const noexcept { return is_over_ || is_completed_; }

  typename Sync::Mutex mutex_;  // guards the rest, and what the functions that it is given use
  OnStop on_stop_;
  std::int32_t completed_with_ = 0;
  bool is_deferred_ = false;
  bool has_returned_ = false;  // as pending
  bool is_over_ = false;       // nothing that comes counts any more
  bool is_completed_ = false;
};

/// Takes one of `most` places (A4), of which `taken` are. False: there is none.
template <class Count>
bool take_place(Count& taken, std::size_t most) {
  for (std::size_t before = taken.load(std::memory_order_relaxed); before < most;)
    if (taken.compare_exchange_weak(before, before + 1, std::memory_order_relaxed)) return true;
  return false;
}

/// What became of a completion.
enum class Completed : std::uint8_t {
  in_time,
  too_late,  ///< its attempt was over
  before     ///< the call was completed before
};

/// The calls that are deferred and not completed, by number. A Call has
/// - `end`, its DeferredCall;
/// - `places()`, of which it has taken one: an atomic number;
/// - `note_completed()`, which is called once, before its number is given up;
/// - `complete(completion)`, which is called once after that.
template <class Call, class Sync = StdSync, std::size_t parts = 16>
class DeferredCalls {
 public:
  /// Never 0.
  std::uint64_t add(std::shared_ptr<Call> call) {
    const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    Part& part = part_of(number);
    const std::lock_guard lock(part.mutex);
    part.calls.emplace(number, std::move(call));
    return number;
  }

  std::shared_ptr<Call> find(std::uint64_t number) {
    Part& part = part_of(number);
    const std::lock_guard lock(part.mutex);
    const auto found = part.calls.find(number);
    return found == part.calls.end() ? nullptr : found->second;
  }

  template <class Visit>
  void for_each(Visit visit) {
    for (Part& part : parts_) {
      const std::lock_guard lock(part.mutex);
      for (const auto& [number, call] : part.calls) visit(*call);
    }
  }

  /// The attempt of that call is over. Null: it was closed before, or there is none.
  std::shared_ptr<Call> end(std::uint64_t number) {
    const std::shared_ptr<Call> call = find(number);
    return call && call->end.end() ? call : nullptr;
  }

  Completed complete(std::uint64_t number, std::int32_t result) {
    const std::shared_ptr<Call> call = find(number);
    if (!call) return Completed::before;
    auto completion = call->end.complete(result);
    if (!completion.is_first) return Completed::before;  // by another thread, at this moment
    if (completion.on_stop) completion.on_stop->end();
    call->note_completed();
    remove(number);
    call->places().fetch_sub(1, std::memory_order_relaxed);
    call->complete(completion);
    return completion.counts ? Completed::in_time : Completed::too_late;
  }

 private:
  struct Part {
    typename Sync::Mutex mutex;
    std::unordered_map<std::uint64_t, std::shared_ptr<Call>> calls;
  };
  Part& part_of(std::uint64_t number) { return parts_[number % parts]; }

  void remove(std::uint64_t number) {
    Part& part = part_of(number);
    const std::lock_guard lock(part.mutex);
    part.calls.erase(number);  // complete() holds it
  }

  typename Sync::template Atomic<std::uint64_t> next_{1};  // relaxed: only a number
  std::array<Part, parts> parts_;
};

}  // namespace weir
