// The supervising thread: what it waits for, and what follows from a death.
#pragma once
#include <weir/supervisor/impl/core.hpp>

namespace weir {

template <class Sync>
void BasicSupervisor<Sync>::Core::run() {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    supervising_ = Sync::thread_index();
  }
  const Result<void> begun = begin();
  if (!begun) ended_told_.reset();  // it never ran
  {
    const std::scoped_lock lock(mailbox_->mutex);
    begun_ = begun;
    answered_.notify_all();
  }
  finish(begun ? supervise() : begun);
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::begin() {
  for (ChildSpec& spec : initial_) {
    Result<void> started = check(spec);
    if (started) {
      Held& held = add(std::move(spec));
      started = start_life(held);
      observe(started ? What::started : What::start_failed, held,
              started ? std::nullopt : std::optional(started.error()));
      if (!started)
        started.error().message = "child \"" + held.spec.id + "\" of \"" + options_.name +
                                  "\" did not start: " + started.error().message;
    }
    if (started) continue;
    stop_all();
    return started;
  }
  initial_.clear();
  return {};
}

// In the order of their priority: a stop, then deaths, then restarts, then calls.
template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::supervise() {
  for (;;) {
    Lock lock(mailbox_->mutex);
    const auto news = [this] {
      return stop_requested_ || !mailbox_->deaths.empty() || !calls_.empty();
    };
    const Held* const next = first_to_restart();
    bool due = next != nullptr && *next->restart_at <= Clock::now();
    if (!due && next == nullptr) mailbox_->news.wait(lock, news);
    if (!due && next != nullptr) due = !mailbox_->news.wait_until(lock, *next->restart_at, news);

    Result<void> went = {};
    if (stop_requested_) {
      lock.unlock();
      stop_all();
      return {};
    }
    if (!mailbox_->deaths.empty()) {
      const std::shared_ptr<Life> life = std::move(mailbox_->deaths.front());
      mailbox_->deaths.pop_front();
      lock.unlock();
      went = heard_of(life);
    } else if (due) {
      lock.unlock();
      went = restart_next();
    } else {
      Call& call = *calls_.front();
      calls_.pop_front();
      lock.unlock();
      call.work();
      lock.lock();
      call.done = true;
      answered_.notify_all();
    }
    if (went) continue;
    stop_all();
    return went;
  }
}

template <class Sync>
void BasicSupervisor<Sync>::Core::finish(Result<void> how) {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    end_ = how;
    refuse_calls();
  }
  if (ended_told_) ended_told_->with(std::move(how));
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::heard_of(const std::shared_ptr<Life>& life) {
  const auto whose = std::ranges::find_if(
      children_, [&](const std::unique_ptr<Held>& held) { return held->life == life; });
  if (whose == children_.end()) return {};  // of an earlier life, or of none
  Held& held = **whose;
  if (!held.spec.name.empty()) options_.names->hide(held.spec.name);
  let_go(held, true, State::ended);
  return lost(held, What::died,
              *life->outcome ? std::nullopt : std::optional(life->outcome->error()));
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::lost(Held& held, What what,
                                               const std::optional<Error>& error) {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    ++held.info.deaths;
    held.info.last_error = error;
    held.restart_at.reset();
  }
  const bool again = held.spec.restart == Restart::permanent ||
                     (held.spec.restart == Restart::transient && error.has_value());
  if (!again) {
    observe(what, held, error);
    if (held.spec.restart == Restart::temporary) remove(held);
    return {};
  }
  const Time now = Clock::now();
  if (!window_.allow(now)) {
    observe(what, held, error);
    Error last = given_up(held);
    observe(What::gave_up, held, last);
    return std::unexpected(std::move(last));
  }
  const std::chrono::milliseconds pause = delay();
  observe(what, held, error, window_.count(), pause);
  stop_group(held, now + pause);
  return {};
}

// Prepares `of`, and all of its group, for a restart.
template <class Sync>
void BasicSupervisor<Sync>::Core::stop_group(const Held& of, Time restart_at) {
  std::vector<Held*> group;
  bool reached = options_.strategy == Strategy::one_for_all;
  for (const auto& held : children_) {
    const bool itself = held.get() == &of;
    reached = reached || (itself && options_.strategy == Strategy::rest_for_one);
    // A terminated child stays so; one that ended without an error is restarted with the others.
    const bool stays = held->info.state == State::stopped;
    if (itself || (reached && !stays)) group.push_back(held.get());
  }
  for (auto each = group.rbegin(); each != group.rend(); ++each) {
    Held& held = **each;
    if (held.child) stop_life(held);
    if (held.spec.restart == Restart::temporary) {
      remove(held);
      continue;
    }
    const std::scoped_lock lock(mailbox_->mutex);
    held.restart_at = restart_at;
    held.info.state = State::restarting;
  }
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::first_to_restart() const -> Held* {
  Held* first = nullptr;
  for (const auto& held : children_)
    if (held->restart_at && (first == nullptr || *held->restart_at < *first->restart_at))
      first = held.get();
  return first;
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::restart_next() {
  Held& held = *first_to_restart();
  if (auto started = start_life(held); !started)
    return lost(held, What::start_failed, std::move(started.error()));
  observe(What::restarted, held);
  return {};
}

template <class Sync>
void BasicSupervisor<Sync>::Core::stop_all() {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    stop_requested_ = true;
    refuse_calls();
  }
  for (auto each = children_.rbegin(); each != children_.rend(); ++each) {
    Held& held = **each;
    if (held.child) stop_life(held);
    const std::scoped_lock lock(mailbox_->mutex);
    held.restart_at.reset();
    if (held.info.state == State::restarting) held.info.state = State::stopped;
  }
}

template <class Sync>
Error BasicSupervisor<Sync>::Core::given_up(const Held& held) const {
  const std::optional<Error>& last = held.info.last_error;
  const RestartLimit& limit = options_.limit;
  return {.code = last ? last->code : ErrorCode::internal,
          .kind = "gave_up",
          .message = "\"" + options_.name + "\" gives up on \"" + held.spec.id +
                     "\", which ended " + std::to_string(held.info.deaths) +
                     (held.info.deaths == 1 ? " time" : " times") +
                     " (limit: " + std::to_string(limit.max_restarts) + " restarts within " +
                     std::to_string(limit.max_seconds.count()) + " s), most recently " +
                     (last ? "with: " + last->message : "without an error"),
          .hint = last ? last->hint : "a permanent child must not end by itself"};
}

template <class Sync>
std::chrono::milliseconds BasicSupervisor<Sync>::Core::delay() const {
  std::chrono::milliseconds pause = std::min(options_.backoff.first, options_.backoff.longest);
  for (std::size_t i = 1; i < window_.count() && pause < options_.backoff.longest; ++i)
    pause = std::min(2 * pause, options_.backoff.longest);
  return pause;
}

}  // namespace weir
