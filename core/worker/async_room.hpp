#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "step/attempt.hpp"

namespace weir {

/// The room that a worker has for deferred calls, beside its slots: a number of calls, and of bytes
/// (A4, A7 to A9). A call counts until it is completed, also when its attempt is over. It knows the
/// steps that defer their calls, so that none of them begins in vain. Used only by the worker's loop.
///
/// Invariant: each attempt counts at most once.
class AsyncRoom {
 public:
  void set_limits(std::size_t calls, std::size_t bytes) noexcept {
    calls_max_ = calls;
    bytes_max_ = bytes;
  }

  /// Whether the last call of the step was deferred.
  bool defers(const weir_step* step) const { return steps_.contains(step); }
  bool knows_any() const noexcept { return !steps_.empty(); }

  /// The attempt, of a step that defers its calls, is about to begin. Or its call was deferred.
  void enter(Attempt& attempt);
  void note_deferred(Attempt& attempt);
  /// It has ended, late or not. One that ended without being deferred though there was room shows
  /// that its step does not defer.
  void note_ended(Attempt& attempt);
  /// It will never begin.
  void leave(Attempt& attempt);
  /// It is over, and its call is pending.
  void note_over(Attempt& attempt);

  /// Whether no further call may be deferred. Never if no call but such of attempts that are over
  /// counts: nobody knows when one of these is completed.
  bool is_full(std::size_t bytes_kept = 0) const noexcept {
    return calls_ > over_ && (calls_ >= calls_max_ || bytes_ + bytes_kept >= bytes_max_);
  }
  /// How many further calls may be deferred.
  std::size_t places() const noexcept {
    return is_full() ? 0 : calls_max_ - std::min(calls_max_, calls_);
  }
  std::size_t calls() const noexcept { return calls_; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// How many calls of a flow count.
  std::size_t calls_of(std::string_view flow) const;

  /// How many calls each flow may have, by max-min fairness, where `waiting` has how many more
  /// each of them wants.
  static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
  std::size_t share_of_each(const std::map<std::string_view, std::size_t>& waiting) const;

  /// What waited for room of a version was given back: nothing more of it is to be claimed until a
  /// call ends.
  void note_given_back(VersionId version) { given_back_.insert(version); }
  const std::set<VersionId>& given_back() const noexcept { return given_back_; }

 private:
  struct Step {
    double output_bytes = 0;  ///< of its results: a moving average
  };

  std::size_t calls_max_ = 0, bytes_max_ = 0;
  std::size_t calls_ = 0, over_ = 0, bytes_ = 0;
  std::unordered_map<const weir_step*, Step> steps_;       ///< those that defer their calls
  std::map<std::string, std::size_t, std::less<>> flows_;  ///< calls of each
  std::map<RunKey, std::size_t> runs_;                     ///< calls of each
  std::set<VersionId> given_back_;
};

}  // namespace weir
