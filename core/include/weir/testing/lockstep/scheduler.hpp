/// Runs tasks one at a time, each on a fiber, and asks a strategy at every point which one
/// continues.
///
/// Threads: one. Everything happens on the thread that called run().
///
/// Invariants:
/// - Exactly one task runs; every other that is neither done nor blocked is at a point, just before
///   the operation that it announced.
/// - What happens depends on the strategy's choices alone, as long as the body does.
/// - What is rare (a wake-up without a notification, a failure without a reason, an old value) is
///   chosen too, and a task for which nothing else happens any more is in a deadlock all the same.
/// - After a failure nothing of the schedule runs any more: its stacks are left as they are, and
///   what its tasks own is never destroyed.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/testing/lockstep/fiber.hpp>
#include <weir/testing/lockstep/memory.hpp>
#include <weir/testing/lockstep/strategy.hpp>
#include <weir/testing/lockstep/trace.hpp>

namespace weir::lockstep {

class Scheduler {
 public:
  struct Settings {
    std::size_t steps_max = 20'000;
    std::size_t spurious_max = 2;  ///< wake-ups and failures without a reason
    bool weak_memory = false;
    bool tracing = false;
    std::uint64_t seed = 0;  ///< of the numbers that Sync::random() gives the body
  };

  /// The outcome of one schedule.
  struct Outcome {
    std::optional<std::string> failure = {};
    Schedule schedule = {};
    Trace trace = {};  ///< with Settings::tracing
    std::size_t steps = 0;
  };

  /// The one whose task is running on this thread; null outside a schedule.
  static Scheduler*& current() noexcept {
    static constinit thread_local Scheduler* scheduler = nullptr;
    return scheduler;
  }

  /// Runs `body` as task 0, and whatever tasks it starts, to their end or to the first failure.
  Outcome run(const std::function<void()>& body, Strategy& strategy, const Settings& settings) {
    strategy_ = &strategy;
    settings_ = settings;
    outcome_ = {};
    outcome_.schedule.swap(spare_schedule_);
    outcome_.schedule.clear();
    tasks_count_ = 0;
    ready_ = yielded_ = timed_ = asleep_ = 0;
    unfinished_ = 0;
    free_indexes_ = 0;
    next_index_ = 0;
    objects_made_ = 0;
    steps_ = 0;
    now_ = 0;
    spurious_left_ = settings.spurious_max;
    unobserved_.clear();
    if (settings.weak_memory) memory_.clear();
    body_random_ = Random(settings.seed ^ 0x5851F42D4C957F2DU);
    current() = this;
    spawn([&body] { body(); });
    running_ = 0;
    main_.switch_to(*tasks_[0].fiber);
    current() = nullptr;
    if (outcome_.failure)
      for (Task& left : tasks_) static_cast<void>(left.body.release());
    outcome_.steps = steps_;
    return std::exchange(outcome_, {});
  }

  /// Takes a schedule's memory back for the next run.
  void recycle(Schedule schedule) { spare_schedule_ = std::move(schedule); }

  // The operations of the Sync policy. [a running task]

  /// Before an operation: other tasks may run first.
  void point(Operation operation, std::uint32_t object) {
    assert(running_ < tasks_count_);
    if (object == destroyed)
      fail(std::string(name(operation)) + " on an object that has been destroyed");
    if (++steps_ > settings_.steps_max)
      fail("not finished after " + std::to_string(settings_.steps_max) +
           " steps: a livelock, or Options::steps_max is too small");
    touched_[running_] = object;
    reschedule();
    note(operation, object);
  }

  /// Blocks the running task until ready() is called for it, or until `deadline`. False when it was
  /// the deadline. It is among `queue`, if there is one, until one of these happens. From a wait on
  /// a condition it may also wake without either.
  bool block(Operation why, std::uint32_t object, std::optional<std::int64_t> deadline = {},
             std::uint64_t* queue = nullptr) {
    Task& me = tasks_[running_];
    note(why, object);
    me.waits = why;
    me.waits_for = object;
    me.timed_out = false;
    me.queue = queue;
    if (queue != nullptr) *queue |= bit(running_);
    if (why == Operation::wait) asleep_ |= bit(running_);
    ready_ &= ~bit(running_);
    if (deadline) {
      me.deadline = *deadline;
      timed_ |= bit(running_);
    }
    reschedule();
    return !me.timed_out;
  }
  void ready(std::uint64_t tasks) noexcept {
    ready_ |= tasks;
    timed_ &= ~tasks;
    asleep_ &= ~tasks;
  }

  /// Lets every other task that can continue take a step first; or returns at once.
  void yield() {
    if (spurious()) return point(Operation::yield_in_vain, 0);
    yielded_ |= bit(running_);
    point(Operation::yield, 0);
  }

  /// Which of `count` results that an operation may have, it has: 0 is the usual one.
  std::size_t rare(std::size_t count) {
    const std::size_t result = count < 2 ? 0 : strategy_->rare(count);
    if (result != 0)
      outcome_.schedule.push_back({Choice::Kind::rare, static_cast<TaskNumber>(result)});
    return result;
  }
  /// Whether an operation that may do so fails without a reason.
  bool spurious() {
    if (spurious_left_ == 0 || rare(2) == 0) return false;
    --spurious_left_;
    return true;
  }

  using Body = std::move_only_function<void()>;

  TaskNumber spawn(Body body) {
    if (tasks_count_ == tasks_max) fail("more than 64 tasks in one schedule");
    const auto number = static_cast<TaskNumber>(tasks_count_++);
    if (tasks_.size() < tasks_count_) tasks_.emplace_back();
    Task& task = tasks_[number];
    task.body = std::make_unique<Body>(std::move(body));
    task.joiners = 0;
    if (free_indexes_ != 0) {
      task.index = nth_task(free_indexes_, 0);
      free_indexes_ &= free_indexes_ - 1;
    } else {
      task.index = next_index_++;
    }
    task.scheduler = this;
    task.fiber->start_at(&Scheduler::enter, &task);
    ready_ |= bit(number);
    unfinished_ |= bit(number);
    touched_[number] = 0;
    if (settings_.weak_memory) memory_.begin(number, running_, task.index);
    return number;
  }
  bool is_done(TaskNumber task) const noexcept { return (unfinished_ & bit(task)) == 0; }
  void join(TaskNumber task) {
    assert(task < tasks_count_);
    if (!is_done(task)) {
      tasks_[task].joiners |= bit(running_);
      block(Operation::join, task);
    }
    if (settings_.weak_memory) memory_.join(running_, task);
  }

  /// Ends the schedule where it is.
  [[noreturn]] void fail(std::string message) {
    outcome_.failure = std::move(message);
    tasks_[running_].fiber->switch_to(main_, true);
    std::terminate();  // no fiber switches back
  }

  TaskNumber running() const noexcept { return running_; }
  std::size_t index_of_running() const noexcept { return tasks_[running_].index; }
  std::uint32_t new_object() noexcept { return ++objects_made_; }
  std::int64_t now() const noexcept { return now_; }
  std::uint64_t random() noexcept { return body_random_(); }
  std::size_t pick(std::size_t count) {
    const std::size_t place = count < 2 ? 0 : strategy_->pick(count);
    if (count >= 2)
      outcome_.schedule.push_back({Choice::Kind::pick, static_cast<TaskNumber>(place)});
    return place;
  }

  /// A condition was notified while no task waited on it.
  void notified_without_waiter(std::uint32_t condition) {
    if (std::ranges::find(unobserved_, condition) == unobserved_.end())
      unobserved_.push_back(condition);
  }

  /// What each task may still read; null when all memory is sequentially consistent.
  Memory* weak_memory() noexcept { return settings_.weak_memory ? &memory_ : nullptr; }
  void heavy_fence() {
    point(Operation::heavy_fence, 0);
    if (settings_.weak_memory) memory_.fence_all(unfinished_);
  }

  /// A line of the trace.
  void note(Operation operation, std::uint32_t object) {
    if (settings_.tracing) outcome_.trace.push_back({running_, operation, object, now_});
  }

  static constexpr std::uint32_t destroyed = 0xDEADBEEF;  ///< the number of a destroyed object

 private:
  struct Task {
    std::unique_ptr<Body> body = {};  // also while it runs: a failure leaves it as it is
    std::unique_ptr<Fiber> fiber = std::make_unique<Fiber>();
    Scheduler* scheduler = nullptr;
    std::uint64_t joiners = 0;
    std::size_t index = 0;
    Operation waits = Operation::load;
    std::uint32_t waits_for = 0;
    std::int64_t deadline = 0;
    bool timed_out = false;
    std::uint64_t* queue = nullptr;
  };

  static void enter(void* argument) {
    Task& task = *static_cast<Task*>(argument);
    task.scheduler->perform(task);
  }

  [[noreturn]] void perform(Task& task) {
    const TaskNumber me = running_;
    try {
      (*task.body)();
      task.body.reset();
    } catch (const std::exception& thrown) {
      fail("task " + std::to_string(me) + " ended with an exception: " + thrown.what());
    } catch (...) {
      fail("task " + std::to_string(me) + " ended with an exception that is not a std::exception");
    }
    if (settings_.weak_memory) memory_.end(me, task.index);
    note(Operation::end, 0);
    ready(task.joiners);
    ready_ &= ~bit(me);
    unfinished_ &= ~bit(me);
    free_indexes_ |= bit(static_cast<TaskNumber>(task.index));
    if (unfinished_ == 0) {
      task.fiber->switch_to(main_, true);
    } else {
      running_ = choose_next();
      task.fiber->switch_to(*tasks_[running_].fiber, true);
    }
    std::terminate();  // no fiber switches back
  }

  void reschedule() {
    const TaskNumber me = running_;
    const TaskNumber next = choose_next();
    if (next == me) return;
    running_ = next;
    tasks_[me].fiber->switch_to(*tasks_[next].fiber);
  }

  TaskNumber choose_next() {
    for (;;) {
      const std::uint64_t eager = ready_ & ~yielded_;
      const Choices choices{.tasks = eager != 0 ? eager : ready_,
                            .asleep = spurious_left_ != 0 ? asleep_ : 0,
                            .tick = timed_ != 0,
                            .current = running_,
                            .objects = touched_};
      if (choices.tasks == 0 && !choices.tick) fail(deadlock());
      const Choice choice = strategy_->choose(choices);
      assert(choices.contain(choice));
      outcome_.schedule.push_back(choice);
      switch (choice.kind) {
        case Choice::Kind::run:
          if (choice.task != running_) yielded_ = 0;
          yielded_ &= ~bit(choice.task);
          return choice.task;
        case Choice::Kind::wake:
          --spurious_left_;
          leave_queue(choice.task);
          if (settings_.tracing)
            outcome_.trace.push_back(
                {choice.task, Operation::wake, tasks_[choice.task].waits_for, now_});
          break;
        default:
          tick();
      }
    }
  }

  void tick() {
    std::int64_t next = tasks_[nth_task(timed_, 0)].deadline;
    for (std::uint64_t left = timed_; left != 0; left &= left - 1)
      next = std::min(next, tasks_[nth_task(left, 0)].deadline);
    now_ = std::max(now_, next);
    if (settings_.tracing) outcome_.trace.push_back({running_, Operation::tick, 0, now_});
    for (std::uint64_t left = timed_; left != 0; left &= left - 1) {
      const TaskNumber task = nth_task(left, 0);
      if (tasks_[task].deadline > now_) continue;
      tasks_[task].timed_out = true;
      leave_queue(task);
    }
  }

  // The task can continue, and a later notification is for another one.
  void leave_queue(TaskNumber number) noexcept {
    const Task& task = tasks_[number];
    if (task.queue != nullptr) *task.queue &= ~bit(number);
    ready(bit(number));
  }

  std::string deadlock() const {
    std::string text = "deadlock: no task can continue";
    for (std::uint64_t left = unfinished_; left != 0; left &= left - 1) {
      const TaskNumber number = nth_task(left, 0);
      const Task& task = tasks_[number];
      text += "\n  task " + std::to_string(number) + ' ' +
              described({number, task.waits, task.waits_for, now_});
    }
    return text + lost_wake_ups();
  }

  // Conditions that were notified while no task waited, and on which one waits now for ever.
  std::string lost_wake_ups() const {
    std::string text;
    for (std::uint64_t left = unfinished_; left != 0; left &= left - 1) {
      const Task& task = tasks_[nth_task(left, 0)];
      if (task.waits == Operation::wait &&
          std::ranges::find(unobserved_, task.waits_for) != unobserved_.end())
        text += "\n  lost wake-up: condition #" + std::to_string(task.waits_for) +
                " was notified while no task waited on it";
    }
    return text;
  }

  Strategy* strategy_ = nullptr;
  Settings settings_;
  Outcome outcome_;
  Schedule spare_schedule_;

  Fiber main_{Fiber::OfThisThread{}};
  std::deque<Task> tasks_;  // with their stacks, kept from schedule to schedule
  std::size_t tasks_count_ = 0;
  TaskNumber running_ = 0;
  std::uint64_t ready_ = 0, yielded_ = 0, timed_ = 0, asleep_ = 0, unfinished_ = 0;  // of tasks
  std::array<std::uint32_t, tasks_max> touched_{};
  std::uint64_t free_indexes_ = 0;
  std::size_t next_index_ = 0;
  std::uint32_t objects_made_ = 0;
  std::size_t steps_ = 0;
  std::int64_t now_ = 0;  // ns
  std::size_t spurious_left_ = 0;
  Memory memory_;
  Random body_random_{0};
  std::vector<std::uint32_t> unobserved_;  // conditions, each once
};

}  // namespace weir::lockstep
