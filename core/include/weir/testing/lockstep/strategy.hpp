/// Strategies decide what happens next.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <weir/testing/lockstep/schedule.hpp>

namespace weir::lockstep {

/// A small fast generator (splitmix64), the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t operator()() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) noexcept {
    return static_cast<std::size_t>(((*this)() >> 32) * limit >> 32);
  }

 private:
  std::uint64_t state_;
};

/// The place of the nth bit that is set, counted from 0. There must be one.
inline TaskNumber nth_task(std::uint64_t tasks, std::size_t n) noexcept {
  for (; n > 0; --n) tasks &= tasks - 1;
  assert(tasks != 0);
  return static_cast<TaskNumber>(std::countr_zero(tasks));
}

constexpr std::uint64_t bit(TaskNumber task) noexcept { return std::uint64_t{1} << task; }

/// What can happen next; never empty.
struct Choices {
  std::uint64_t tasks = 0;   ///< those that can continue, as bits
  std::uint64_t asleep = 0;  ///< those whose wait can end without a notification, as bits
  bool tick = false;         ///< whether a task waits for a time; true when no task can continue
  TaskNumber current = 0;    ///< the task that ran last
  const std::array<std::uint32_t, tasks_max>& objects;  ///< what each task is about to use

  bool current_can_continue() const noexcept { return (tasks & bit(current)) != 0; }
  std::size_t others() const noexcept {
    return static_cast<std::size_t>(std::popcount(asleep)) + (tick ? 1U : 0U);
  }
  /// Whether it is one of them; a pick or something rare is not.
  bool contain(const Choice& choice) const noexcept {
    return (choice.kind == Choice::Kind::run && (tasks & bit(choice.task)) != 0) ||
           (choice.kind == Choice::Kind::wake && (asleep & bit(choice.task)) != 0) ||
           (choice.kind == Choice::Kind::tick && tick);
  }
  /// A tick is the first one.
  Choice other(std::size_t n) const noexcept {
    if (tick && n == 0) return {Choice::Kind::tick, 0};
    return {Choice::Kind::wake, nth_task(asleep, n - (tick ? 1U : 0U))};
  }
};

class Strategy {
 public:
  Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;
  virtual ~Strategy() = default;

  /// Returns one of the choices.
  virtual Choice choose(const Choices& choices) = 0;

  /// One of `count` tasks that wait for the same, by its place among them.
  virtual std::size_t pick(std::size_t count) = 0;

  /// One of `count` results that an operation may have: 0 for the usual one.
  virtual std::size_t rare(std::size_t count) = 0;
};

/// Chooses at random, and now and then something rare, or that time passes.
class RandomWalk : public Strategy {
 public:
  explicit RandomWalk(std::uint64_t seed) : random_(seed) {}

  Choice choose(const Choices& choices) override {
    if (const std::size_t others = choices.others();
        others != 0 && (choices.tasks == 0 || random_.below(8) == 0))
      return choices.other(random_.below(others));
    return {Choice::Kind::run, choose_task(choices)};
  }
  std::size_t pick(std::size_t count) override { return random_.below(count); }
  std::size_t rare(std::size_t count) override {
    return random_.below(4) != 0 ? 0 : 1 + random_.below(count - 1);
  }

 protected:
  virtual TaskNumber choose_task(const Choices& choices) {
    return nth_task(choices.tasks,
                    random_.below(static_cast<std::size_t>(std::popcount(choices.tasks))));
  }
  Random& random() noexcept { return random_; }

 private:
  Random random_;
};

/// Random priorities, and `depth` - 1 points at which the running task gets the lowest (Burckhardt
/// and others, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010): a bug
/// that needs `depth` orderings is found with a chance of 1 in tasks × steps^(depth - 1).
class Pct final : public RandomWalk {
 public:
  Pct(std::uint64_t seed, std::size_t depth, std::size_t steps) : RandomWalk(seed) {
    for (std::size_t i = 1; i < depth; ++i)
      changes_.push_back(random().below(std::max<std::size_t>(steps, 1)));
  }

 private:
  TaskNumber choose_task(const Choices& choices) override {
    const TaskNumber first = highest(choices.tasks);
    const auto change = std::ranges::find(changes_, step_++);
    if (change == changes_.end()) return first;
    priorities_[first] = 1 + static_cast<std::uint64_t>(change - changes_.begin());
    return highest(choices.tasks);
  }
  TaskNumber highest(std::uint64_t tasks) {
    TaskNumber best = nth_task(tasks, 0);
    for (std::uint64_t left = tasks; left != 0; left &= left - 1) {
      const TaskNumber task = nth_task(left, 0);
      if (priorities_[task] == 0) priorities_[task] = random()() | (std::uint64_t{1} << 32);
      if (priorities_[task] > priorities_[best]) best = task;
    }
    return best;
  }

  std::vector<std::size_t> changes_;
  std::array<std::uint64_t, tasks_max> priorities_{};  // 0: not yet drawn
  std::size_t step_ = 0;
};

/// Partial order sampling (Yuan, Yang and Gu, 2018): every operation has a random priority, drawn
/// again when one that uses the same object went first.
class Pos final : public RandomWalk {
 public:
  explicit Pos(std::uint64_t seed) : RandomWalk(seed) {}

 private:
  TaskNumber choose_task(const Choices& choices) override {
    TaskNumber best = nth_task(choices.tasks, 0);
    for (std::uint64_t left = choices.tasks; left != 0; left &= left - 1) {
      const TaskNumber task = nth_task(left, 0);
      if (priorities_[task] == 0) priorities_[task] = random()() | 1U;
      if (priorities_[task] > priorities_[best]) best = task;
    }
    for (std::uint64_t left = choices.tasks; left != 0; left &= left - 1) {
      const TaskNumber task = nth_task(left, 0);
      if (choices.objects[task] == choices.objects[best]) priorities_[task] = 0;
    }
    return best;
  }

  std::array<std::uint64_t, tasks_max> priorities_{};  // 0: to be drawn
};

/// Every schedule with at most `preemptions` switches away from a task that could have continued,
/// one after the other: after a run of the body, next() moves on to the following one. What is
/// rare, and letting time pass while a task could continue, count as preemptions.
class DepthFirst final : public Strategy {
 public:
  explicit DepthFirst(std::size_t preemptions) : preemptions_max_(preemptions) {}

  /// False when there is none left.
  bool next() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().count) path_.pop_back();
    if (path_.empty()) return false;
    ++path_.back().taken;
    depth_ = preemptions_ = 0;
    return true;
  }

  Choice choose(const Choices& choices) override {
    const bool may = preemptions_ < preemptions_max_;
    const auto tasks = static_cast<std::size_t>(std::popcount(choices.tasks));
    const std::size_t others = may ? choices.others() : 0;
    if (tasks == 0) {  // the first of the others is that time passes
      const std::size_t n = decide(std::max<std::size_t>(others, 1));
      if (n != 0) ++preemptions_;
      return choices.other(n);
    }
    const bool stays = choices.current_can_continue();
    const std::size_t n = decide(stays && !may ? 1 : tasks + others);
    if (stays && n == 0) return {Choice::Kind::run, choices.current};
    if (stays || n >= tasks) ++preemptions_;
    if (n >= tasks) return choices.other(n - tasks);
    return {Choice::Kind::run, stays ? nth_task(choices.tasks & ~bit(choices.current), n - 1)
                                     : nth_task(choices.tasks, n)};
  }
  std::size_t pick(std::size_t count) override { return decide(count); }
  std::size_t rare(std::size_t count) override {
    const std::size_t n = decide(preemptions_ < preemptions_max_ ? count : 1);
    if (n != 0) ++preemptions_;
    return n;
  }

 private:
  struct Decision {
    std::size_t taken;
    std::size_t count;
  };

  std::size_t decide(std::size_t count) {
    if (count < 2) return 0;
    if (depth_ == path_.size()) path_.push_back({0, count});
    return path_[depth_++].taken;
  }

  std::size_t preemptions_max_;
  std::size_t preemptions_ = 0;
  std::size_t depth_ = 0;
  std::vector<Decision> path_;
};

/// Repeats earlier decisions. One that is impossible is skipped, and after the last one the running
/// task continues as long as it can: so parts of a schedule are schedules too.
class Replay final : public Strategy {
 public:
  explicit Replay(Schedule plan) : plan_(std::move(plan)) {}

  Choice choose(const Choices& choices) override {
    while (at_ < plan_.size()) {
      const Choice next = plan_[at_++];
      if (choices.contain(next)) return next;
      followed_ = false;
    }
    if (choices.current_can_continue()) return {Choice::Kind::run, choices.current};
    if (choices.tasks != 0) return {Choice::Kind::run, nth_task(choices.tasks, 0)};
    return choices.other(0);
  }
  std::size_t pick(std::size_t count) override {
    if (at_ == plan_.size()) return 0;
    if (plan_[at_].kind == Choice::Kind::pick && plan_[at_].task < count) return plan_[at_++].task;
    followed_ = false;
    return 0;
  }
  std::size_t rare(std::size_t count) override {
    if (at_ == plan_.size() || plan_[at_].kind != Choice::Kind::rare) return 0;  // the usual
    if (plan_[at_].task < count) return plan_[at_++].task;
    followed_ = false;
    return 0;
  }

  /// Whether every decision was possible as planned.
  bool followed() const noexcept { return followed_; }

 private:
  Schedule plan_;
  std::size_t at_ = 0;
  bool followed_ = true;
};

}  // namespace weir::lockstep
