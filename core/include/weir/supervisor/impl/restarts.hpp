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
  if (!begun) ended_callback_.reset();  // it never ran
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
      ChildEntry& entry = add(std::move(spec));
      started = start_life(entry);
      if (started) {
        observe(entry.child ? What::started : What::ignored, entry);
        if (!entry.child && is_forgotten(entry)) remove(entry);
      } else {
        observe(What::start_failed, entry, started.error());
        started.error().message = title(entry.spec) + " did not start: " + started.error().message;
      }
    }
    if (started) continue;
    stop_all();
    return started;
  }
  initial_.clear();
  return {};
}

// In the order of their priority: a stop, then deaths, then restarts, then calls. But a call that waits
// has its turn after a restart that failed, when all that were due were made, and after as many as
// there are children: so none waits behind children that die again and again.
template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::supervise() {
  for (;;) {
    Lock lock(mailbox_->mutex);
    const auto has_work = [this] {
      return stop_requested_ || !mailbox_->deaths.empty() || !calls_.empty();
    };
    const ChildEntry* const next = first_to_restart();
    bool due = next != nullptr && *next->restart_at <= Clock::now();
    if (!due && next == nullptr) mailbox_->changed.wait(lock, has_work);
    if (!due && next != nullptr)
      due = !mailbox_->changed.wait_until(lock, *next->restart_at, has_work);

    Result<void> handled = {};
    if (stop_requested_) {
      lock.unlock();
      stop_all();
      return {};
    }
    if (call_is_next_ && !calls_.empty()) {
      answer_call(lock);
    } else if (!mailbox_->deaths.empty()) {
      const std::shared_ptr<Life> life = std::move(mailbox_->deaths.front());
      mailbox_->deaths.pop_front();
      lock.unlock();
      handled = handle_end(life);
    } else if (due) {
      lock.unlock();
      handled = restart_next();
      lock.lock();
      call_is_next_ = call_is_next_ && !calls_.empty();  // those that wait already
      lock.unlock();
    } else {
      answer_call(lock);
    }
    if (handled && !auto_shutdown_) continue;
    stop_all();
    return handled;
  }
}

template <class Sync>
void BasicSupervisor<Sync>::Core::answer_call(Lock& lock) {
  assert(!calls_.empty());
  call_is_next_ = false;
  restarts_in_a_row_ = 0;
  Call& call = *calls_.front();
  calls_.pop_front();
  lock.unlock();
  call.work();
  lock.lock();
  call.done = true;
  answered_.notify_all();
}

template <class Sync>
void BasicSupervisor<Sync>::Core::finish(Result<void> outcome) {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    assert(!end_);
    assert(
        std::ranges::none_of(children_, [](const auto& entry) { return entry->child != nullptr; }));
    end_ = outcome;
    refuse_calls();
  }
  if (ended_callback_) ended_callback_->with(std::move(outcome));
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::handle_end(const std::shared_ptr<Life>& life) {
  const auto whose = std::ranges::find_if(
      children_, [&](const std::unique_ptr<ChildEntry>& entry) { return entry->life == life; });
  if (whose == children_.end()) return {};  // of an earlier life, or of none
  assert(life->outcome.has_value());        // set before it was reported
  ChildEntry& entry = **whose;
  finish_life(entry, true, State::ended);
  return handle_death(entry, What::died,
                      *life->outcome ? std::nullopt : std::optional(life->outcome->error()));
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::handle_death(ChildEntry& entry, What what,
                                                       const std::optional<Error>& error) {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    ++entry.info.deaths;
    entry.info.last_error = error;
    entry.restart_at.reset();
  }
  const bool will_restart = entry.spec.restart == Restart::permanent ||
                            (entry.spec.restart == Restart::transient && error.has_value());
  if (!will_restart) {
    observe(what, entry, error);
    auto_shutdown_ = ends_supervisor(entry);
    if (auto_shutdown_) observe(What::shut_down, entry);
    if (is_forgotten(entry)) remove(entry);
    return {};
  }
  const Time now = Clock::now();
  if (!window_.allow(now)) {
    observe(what, entry, error);
    Error last = gave_up_error(entry);
    observe(What::gave_up, entry, last);
    return std::unexpected(std::move(last));
  }
  const std::chrono::milliseconds pause = delay();
  observe(what, entry, error, window_.count(), pause);
  stop_group(entry, now + pause);
  return {};
}

// Whether its end, after which it is not restarted, ends the supervisor too.
template <class Sync>
bool BasicSupervisor<Sync>::Core::ends_supervisor(const ChildEntry& entry) const {
  if (!entry.spec.significant) return false;
  if (options_.auto_shutdown == AutoShutdown::any_significant) return true;
  return std::ranges::none_of(children_, [](const auto& each) {
    return each->spec.significant && (each->child || each->restart_at);
  });
}

// Prepares `of`, and all of its group, for a restart.
template <class Sync>
void BasicSupervisor<Sync>::Core::stop_group(const ChildEntry& of, Time restart_at) {
  std::vector<ChildEntry*> group;
  bool reached = options_.strategy == Strategy::one_for_all;
  for (const auto& entry : children_) {
    const bool itself = entry.get() == &of;
    reached = reached || (itself && options_.strategy == Strategy::rest_for_one);
    // A terminated child stays so; one that ended without an error is restarted with the others.
    const bool stays = entry->info.state == State::stopped;
    if (itself || (reached && !stays)) group.push_back(entry.get());
  }
  for (auto each = group.rbegin(); each != group.rend(); ++each) {
    ChildEntry& entry = **each;
    if (entry.child) stop_life(entry);
    if (entry.spec.restart == Restart::temporary) {
      remove(entry);
      continue;
    }
    const std::scoped_lock lock(mailbox_->mutex);
    entry.restart_at = restart_at;
    entry.info.state = State::restarting;
  }
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::first_to_restart() const -> ChildEntry* {
  ChildEntry* first = nullptr;
  for (const auto& entry : children_)
    if (entry->restart_at && (first == nullptr || *entry->restart_at < *first->restart_at))
      first = entry.get();
  return first;
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::restart_next() {
  ChildEntry* const first = first_to_restart();
  assert(first != nullptr);  // one is due
  ChildEntry& entry = *first;
  const bool is_held = !entry.last.expired();
  auto started = start_life(entry);
  if (!started && is_held && started.error().code == ErrorCode::conflict)
    started.error().hint +=
        std::string(started.error().hint.empty() ? "" : "; ") +
        "a caller still holds the object of its last life, with its members: give up in "
        "collect() and abandon() what they hold";
  const ChildEntry* const next = first_to_restart();
  call_is_next_ = !started || next == nullptr || *next->restart_at > Clock::now() ||
                  ++restarts_in_a_row_ >= children_.size();
  if (!started) return handle_death(entry, What::start_failed, std::move(started.error()));
  observe(entry.child ? What::restarted : What::ignored, entry);
  if (!entry.child && is_forgotten(entry)) remove(entry);
  return {};
}

template <class Sync>
void BasicSupervisor<Sync>::Core::stop_all() {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    stop_requested_ = true;
    refuse_calls();
  }
  stop_lives();
  const std::scoped_lock lock(mailbox_->mutex);
  for (const auto& entry : children_) {
    entry->restart_at.reset();
    if (entry->info.state == State::restarting) entry->info.state = State::stopped;
  }
}

template <class Sync>
Error BasicSupervisor<Sync>::Core::gave_up_error(const ChildEntry& entry) const {
  const std::optional<Error>& last = entry.info.last_error;
  const RestartLimit& limit = options_.limit;
  return {.code = last ? last->code : ErrorCode::internal,
          .kind = "gave_up",
          .message = "\"" + options_.name + "\" gives up on \"" + entry.spec.id +
                     "\", which ended " + std::to_string(entry.info.deaths) +
                     (entry.info.deaths == 1 ? " time" : " times") +
                     " (limit: " + std::to_string(limit.max_restarts) + " restarts within " +
                     std::to_string(limit.max_seconds.count()) + " s), most recently " +
                     (last ? "with: " + last->message : "without an error"),
          .hint = last ? last->hint : "a permanent child must not end by itself"};
}

template <class Sync>
std::chrono::milliseconds BasicSupervisor<Sync>::Core::delay() const {
  const auto longest = std::max(options_.backoff.first, options_.backoff.longest);
  std::chrono::milliseconds pause = options_.backoff.first;
  for (std::size_t i = 1; i < window_.count() && pause > pause.zero() && pause < longest; ++i)
    pause = std::min(2 * pause, longest);
  return pause;
}

}  // namespace weir
