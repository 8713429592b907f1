/// Histories of concurrent calls, checked against a sequential model (Wing and Gong, 1993; Lowe,
/// 2017): was there an order of the calls, each between its begin and its end, in which one thread
/// alone would have got the same answers?
///
///     struct Model {                       // what the class is, for one thread
///       std::set<int> held;
///       bool operator()(const Call& call) { … }   // answers, and changes
///       auto operator<=>(const Model&) const = default;   // optional: makes the check faster
///     };
///     lockstep::History<Call, bool> history;
///     Sync::Thread a([&] { history.record({add, 1}, [&] { return set.add(1); }); });
///     …
///     lockstep::require(history.linearizable(Model{}), "not linearizable:\n" + …);
///
/// Threads: tasks of one schedule, which run one at a time. With weak memory, a call that begins
/// after another has ended has seen what that one has: an order between two calls exists only where
/// somebody could observe it, and so it does here.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include <weir/testing/lockstep/scheduler.hpp>

namespace weir::lockstep {

/// The calls and their answers, with the order of begins and ends. `Answer` has ==.
template <class Call, class Answer>
class History {
 public:
  static constexpr std::size_t calls_max = 64;

  struct Entry {
    Call call;
    Answer answer;
    std::size_t begin;
    std::size_t end;
  };

  /// Performs a call and records its answer.
  template <class Perform>
  Answer record(Call call, Perform perform) {
    if (Memory* memory = weak_memory()) memory->acquire(Scheduler::current()->running(), seen_);
    const std::size_t begin = now_++;
    Answer answer = perform();
    if (Memory* memory = weak_memory()) memory->release(Scheduler::current()->running(), seen_);
    entries_.push_back({std::move(call), answer, begin, now_++});
    return answer;
  }

  /// The calls, in the order in which they ended.
  const std::vector<Entry>& entries() const noexcept { return entries_; }

  /// Whether some order explains every answer. Throws std::length_error for more than 64 calls.
  template <class Model>
    requires requires(Model model, const Call& call) {
      { model(call) } -> std::equality_comparable_with<Answer>;
    }
  bool linearizable(Model model) const {
    if (entries_.size() > calls_max) throw std::length_error("a history of more than 64 calls");
    Visited<Model> visited;
    return explained(model, 0, visited);
  }

 private:
  static Memory* weak_memory() noexcept {
    Scheduler* const scheduler = Scheduler::current();
    return scheduler == nullptr ? nullptr : scheduler->weak_memory();
  }

  // The states that were examined without success: the calls that were done, and the model then.
  template <class Model>
  class Visited {
   public:
    bool is_new(std::uint64_t done, const Model& model) {
      if constexpr (std::totally_ordered<Model>)
        return states_.emplace(done, model).second;
      else
        return true;
    }

   private:
    struct Nothing {
      friend bool operator<(const Nothing&, const Nothing&) { return false; }
    };
    std::set<
        std::pair<std::uint64_t, std::conditional_t<std::totally_ordered<Model>, Model, Nothing>>>
        states_;
  };

  template <class Model>
  bool explained(const Model& model, std::uint64_t done, Visited<Model>& visited) const {
    std::size_t first_end = std::numeric_limits<std::size_t>::max();
    bool any = false;
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if ((done >> i & 1) == 0) {
        any = true;
        if (entries_[i].end < first_end) first_end = entries_[i].end;
      }
    if (!any) return true;
    if (!visited.is_new(done, model)) return false;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      // A call that began after another ended cannot have come before it.
      if ((done >> i & 1) != 0 || entries_[i].begin > first_end) continue;
      Model after = model;
      if (!(after(entries_[i].call) == entries_[i].answer)) continue;
      if (explained(after, done | std::uint64_t{1} << i, visited)) return true;
    }
    return false;
  }

  std::vector<Entry> entries_;
  std::size_t now_ = 0;
  View seen_;  // by the tasks whose calls have ended
};

}  // namespace weir::lockstep
