/// Runs tasks one at a time, each on a fiber, and asks a strategy at every point which one
/// continues.
///
/// Threads: one. Everything happens on the thread that called run().
///
/// Invariants:
/// - Exactly one task runs; every other that is neither done nor blocked is at a point, just before
///   the operation that it announced.
/// - What happens depends on the strategy's choices alone, as long as the body does.
/// - With store buffers, a task's plain stores become visible to others in their order, at the
///   latest before its next operation that the hardware would not let pass them (as on x86).
/// - After a failure nothing of the schedule runs any more: its stacks are left as they are.
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
#include <weir/testing/lockstep/strategy.hpp>
#include <weir/testing/lockstep/trace.hpp>

namespace weir::lockstep {

class Scheduler {
 public:
  struct Settings {
    std::size_t steps_max = 20'000;
    bool store_buffers = false;
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
    ready_ = yielded_ = timed_ = buffered_ = 0;
    unfinished_ = 0;
    free_indexes_ = 0;
    next_index_ = 0;
    objects_made_ = 0;
    steps_ = 0;
    now_ = 0;
    unobserved_.clear();
    body_random_ = Random(settings.seed ^ 0x5851F42D4C957F2DU);
    current() = this;
    spawn([&body] { body(); });
    running_ = 0;
    main_.switch_to(*tasks_[0].fiber);
    current() = nullptr;
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
  /// the deadline.
  bool block(Operation why, std::uint32_t object, std::optional<std::int64_t> deadline = {}) {
    Task& me = tasks_[running_];
    drain(running_);
    note(why, object);
    me.waits = why;
    me.waits_for = object;
    me.timed_out = false;
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
  }

  /// Lets every other task that can continue take a step first.
  void yield() {
    yielded_ |= bit(running_);
    point(Operation::yield, 0);
  }

  TaskNumber spawn(std::move_only_function<void()> body) {
    if (tasks_count_ == tasks_max) fail("more than 64 tasks in one schedule");
    const auto number = static_cast<TaskNumber>(tasks_count_++);
    if (tasks_.size() < tasks_count_) tasks_.emplace_back();
    Task& task = tasks_[number];
    task.body = std::move(body);
    task.joiners = 0;
    task.stores.clear();
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
    return number;
  }
  bool is_done(TaskNumber task) const noexcept { return (unfinished_ & bit(task)) == 0; }
  void join(TaskNumber task) {
    assert(task < tasks_count_);
    if (is_done(task)) return;
    tasks_[task].joiners |= bit(running_);
    block(Operation::join, task);
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

  // Store buffers.

  static constexpr std::size_t buffered_bytes_max = 16;
  struct Store {
    void* atomic;
    std::uint32_t object;
    void (*apply)(void* atomic, const std::byte* value);
    std::array<std::byte, buffered_bytes_max> value;
  };
  bool buffers_stores() const noexcept { return settings_.store_buffers; }
  void buffer(const Store& store) {
    assert(settings_.store_buffers);
    tasks_[running_].stores.push_back(store);
    buffered_ |= bit(running_);
  }
  const Store* last_store_to(const void* atomic) const noexcept {
    if ((buffered_ & bit(running_)) == 0) return nullptr;
    const std::deque<Store>& stores = tasks_[running_].stores;
    for (auto each = stores.rbegin(); each != stores.rend(); ++each)
      if (each->atomic == atomic) return &*each;
    return nullptr;
  }
  void drain_running() { drain(running_); }
  /// As drain_running, for an operation that is not a point itself: while stores are invisible to
  /// them, other tasks may run first.
  void settle_stores() {
    if ((buffered_ & bit(running_)) != 0) reschedule();
    drain(running_);
  }
  void drain_all() {
    while (buffered_ != 0) drain(nth_task(buffered_, 0));
  }

  static constexpr std::uint32_t destroyed = 0xDEADBEEF;  ///< the number of a destroyed object

 private:
  struct Task {
    std::move_only_function<void()> body = {};
    std::unique_ptr<Fiber> fiber = std::make_unique<Fiber>();
    Scheduler* scheduler = nullptr;
    std::uint64_t joiners = 0;
    std::size_t index = 0;
    Operation waits = Operation::load;
    std::uint32_t waits_for = 0;
    std::int64_t deadline = 0;
    bool timed_out = false;
    std::deque<Store> stores = {};
  };

  static void enter(void* argument) {
    Task& task = *static_cast<Task*>(argument);
    task.scheduler->perform(task);
  }

  [[noreturn]] void perform(Task& task) {
    const TaskNumber me = running_;
    try {
      task.body();
      task.body = nullptr;
    } catch (const std::exception& thrown) {
      fail("task " + std::to_string(me) + " ended with an exception: " + thrown.what());
    } catch (...) {
      fail("task " + std::to_string(me) + " ended with an exception that is not a std::exception");
    }
    settle_stores();
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
                            .buffered = buffered_,
                            .tick = timed_ != 0,
                            .current = running_,
                            .objects = touched_};
      if (choices.tasks == 0 && choices.others() == 0) fail(deadlock());
      const Choice choice = strategy_->choose(choices);
      assert(choices.contain(choice));
      outcome_.schedule.push_back(choice);
      switch (choice.kind) {
        case Choice::Kind::run:
          if (choice.task != running_) yielded_ = 0;
          yielded_ &= ~bit(choice.task);
          return choice.task;
        case Choice::Kind::flush:
          flush(choice.task);
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
      ready(bit(task));
    }
  }

  void flush(TaskNumber number) {
    Task& task = tasks_[number];
    assert(!task.stores.empty());  // it is among buffered_
    const Store store = task.stores.front();
    task.stores.pop_front();
    if (task.stores.empty()) buffered_ &= ~bit(number);
    store.apply(store.atomic, store.value.data());
    if (settings_.tracing) outcome_.trace.push_back({number, Operation::flush, store.object, now_});
  }
  void drain(TaskNumber task) {
    while ((buffered_ & bit(task)) != 0) flush(task);
  }

  void note(Operation operation, std::uint32_t object) {
    if (settings_.tracing) outcome_.trace.push_back({running_, operation, object, now_});
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
  std::uint64_t ready_ = 0, yielded_ = 0, timed_ = 0, buffered_ = 0, unfinished_ = 0;  // of tasks
  std::array<std::uint32_t, tasks_max> touched_{};
  std::uint64_t free_indexes_ = 0;
  std::size_t next_index_ = 0;
  std::uint32_t objects_made_ = 0;
  std::size_t steps_ = 0;
  std::int64_t now_ = 0;  // ns
  Random body_random_{0};
  std::vector<std::uint32_t> unobserved_;  // conditions, each once
};

}  // namespace weir::lockstep
