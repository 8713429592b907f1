#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include <weir/testing/lockstep/fiber.hpp>

#include "base/time.hpp"

namespace weir::simulation {

using Random = std::mt19937_64;

// Virtual time, its events, and actors, each on a stack of its own; one actor runs at a time. The
// seed determines the order of events that are due at the same moment.
//
// Threads: one.
class Stage {
 public:
  static constexpr Time begin{std::chrono::hours(500'000)};

  explicit Stage(Random& random) : random_(random) {}
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Thrown where an actor waits, to end it there. Only the stage may catch it.
  struct Killed {};

  class Actor {
   public:
    // Lets `duration` pass. False when wake() was called before.
    bool wait(Duration duration);
    void wake();
    bool is_killed() const noexcept { return killed_; }
    bool is_over() const noexcept { return over_; }

   private:
    friend Stage;
    Actor(Stage& stage, std::function<void()> body) : stage_(stage), body_(std::move(body)) {}
    void suspend();

    Stage& stage_;
    std::function<void()> body_;
    std::unique_ptr<lockstep::Fiber> fiber_;
    std::uint64_t waits_ = 0;  // how many waits there were: an event for an earlier one is stale
    bool waiting_ = false, woken_ = false, killed_ = false, over_ = false;
  };

  // Adds an actor, which begins with an event at the present time. It belongs to the stage.
  Actor& enter(std::function<void()> body);

  // The actor that runs.
  Actor& current() noexcept { return *current_; }

  // Ends an actor where it waits, before this returns; what it holds is released. Must not be
  // called by the actor itself.
  void kill(Actor& actor);

  void at(Time when, std::function<void()> event);
  void after(Duration delay, std::function<void()> event) { at(now_ + delay, std::move(event)); }
  Time now() const noexcept { return now_; }

  // Runs the next event. False when there is none.
  bool step();

 private:
  static void run(void* actor);
  void resume(Actor& actor);

  Random& random_;
  Actor* current_ = nullptr;
  Time now_ = begin;
  std::multimap<std::pair<Time, std::uint64_t>, std::function<void()>> events_;
  lockstep::Fiber own_{lockstep::Fiber::OfThisThread{}};
  std::vector<std::unique_ptr<Actor>> actors_;
  std::vector<std::unique_ptr<lockstep::Fiber>> spare_;  // stacks of actors that are over
};

}  // namespace weir::simulation
