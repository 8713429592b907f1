#include "simulation/stage.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace weir::simulation {

Stage::~Stage() {
  for (const auto& actor : actors_) kill(*actor);
}

Stage::Actor& Stage::enter(std::function<void()> body) {
  actors_.push_back(std::unique_ptr<Actor>(new Actor(*this, std::move(body))));
  Actor& actor = *actors_.back();
  if (spare_.empty()) {
    actor.fiber_ = std::make_unique<lockstep::Fiber>();
  } else {
    actor.fiber_ = std::move(spare_.back());
    spare_.pop_back();
  }
  actor.fiber_->start_at(&Stage::run, &actor);
  after(Duration(0), [this, &actor] { resume(actor); });
  return actor;
}

void Stage::run(void* argument) {
  Actor& actor = *static_cast<Actor*>(argument);
  try {
    if (!actor.killed_) actor.body_();
  } catch (const Killed&) {  // this ends the actor
  }
  actor.over_ = true;
  actor.fiber_->switch_to(actor.stage_.own_, true);
}

void Stage::resume(Actor& actor) {
  if (actor.over_) return;
  Actor* const before = std::exchange(current_, &actor);
  own_.switch_to(*actor.fiber_);
  current_ = before;
  if (actor.over_ && actor.fiber_) spare_.push_back(std::move(actor.fiber_));
}

void Stage::kill(Actor& actor) {
  if (actor.over_) return;
  actor.killed_ = true;
  resume(actor);
}

void Stage::at(Time when, std::function<void()> event) {
  events_.emplace(std::pair(std::max(when, now_), random_()), std::move(event));
}

bool Stage::step() {
  if (events_.empty()) return false;
  auto next = events_.extract(events_.begin());
  now_ = next.key().first;
  next.mapped()();
  return true;
}

void Stage::Actor::suspend() {
  fiber_->switch_to(stage_.own_);
  if (killed_ && std::uncaught_exceptions() == 0) throw Killed{};
}

bool Stage::Actor::wait(Duration duration) {
  if (killed_) {
    if (std::uncaught_exceptions() == 0) throw Killed{};
    return true;
  }
  const std::uint64_t wait = ++waits_;
  waiting_ = true;
  woken_ = false;
  stage_.after(duration, [this, wait] {
    if (waiting_ && waits_ == wait) stage_.resume(*this);
  });
  suspend();
  waiting_ = false;
  return !woken_;
}

// The actor continues in an event of its own, after the caller of this.
void Stage::Actor::wake() {
  if (!waiting_ || woken_) return;
  woken_ = true;
  stage_.after(Duration(0), [this, wait = waits_] {
    if (waiting_ && waits_ == wait) stage_.resume(*this);
  });
}

}  // namespace weir::simulation
