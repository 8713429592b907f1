// One life of one child: how it begins and how it ends. All on the supervising thread.
#pragma once
#include <weir/supervisor/impl/core.hpp>

namespace weir {

template <class Sync>
auto BasicSupervisor<Sync>::Core::add(ChildSpec spec) -> ChildEntry& {
  assert(is_supervising() && (dynamic_ || find(spec.id) == nullptr));
  auto entry = std::make_unique<ChildEntry>();
  entry->info.id = spec.id;
  entry->info.name = spec.name;
  entry->info.restart = spec.restart;
  entry->info.type = spec.type;
  entry->info.state = State::stopped;
  entry->spec = std::move(spec);
  const std::scoped_lock lock(mailbox_->mutex);
  return *children_.emplace_back(std::move(entry));
}

template <class Sync>
void BasicSupervisor<Sync>::Core::remove(const ChildEntry& entry) {
  assert(is_supervising() && !entry.child);
  std::unique_ptr<ChildEntry> gone;  // its specification is the user's: destroyed outside the lock
  const std::scoped_lock lock(mailbox_->mutex);
  const auto at = std::ranges::find(children_, &entry, &std::unique_ptr<ChildEntry>::get);
  assert(at != children_.end());
  gone = std::move(*at);
  children_.erase(at);
}

// Without an error and without a child: there was nothing to run.
template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::start_life(ChildEntry& entry) {
  assert(is_supervising() && !entry.child && !entry.life);  // one life at a time
  const auto life = std::make_shared<Life>();
  if (auto claimed = claim_names(entry, life); !claimed) return claimed;
  const ChildEnd end([mailbox = mailbox_, life](Result<void> outcome) {
    Mailbox::report(mailbox, life, std::move(outcome));
  });
  auto child = [&]() -> Result<std::shared_ptr<Child>> {
    const OwnerScope scope(entry.owners);
    try {
      return entry.spec.start(end);
    } catch (...) {
      return std::unexpected(supervisor::error_of_exception());
    }
  }();
  if (child && !*child)
    child =
        std::unexpected(Error{.code = ErrorCode::internal,
                              .kind = "no_child",
                              .message = "its start returned neither a child nor an error",
                              .hint = "return the child that was started, or nothing_to_run()"});
  const bool runs = child && dynamic_cast<const supervisor::NothingToRun*>(child->get()) == nullptr;
  if (!runs) give_up_names(entry);
  if (!child) return std::unexpected(std::move(child.error()));
  {
    const std::scoped_lock lock(mailbox_->mutex);
    entry.restart_at.reset();
    entry.info.state = runs ? State::running : State::ended;
    if (!runs) return {};
    entry.last = *child;
    entry.child = *std::move(child);
    entry.life = life;
    ++entry.info.starts;
  }
  for (const auto& claim : entry.claims) claim->show(entry.child);
  return {};
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::claim_names(ChildEntry& entry,
                                                      const std::shared_ptr<Life>& life) {
  assert(entry.claims.empty());  // those of the last life were given up
  const std::string& name = entry.spec.name;
  const std::string& id = entry.spec.id;
  const std::string holder = options_.name + "/" + (id.empty() ? name : id);
  Result<void> claimed;
  const auto claim = [&](Result<std::unique_ptr<ChildName::Claim>> one) {
    if (one)
      entry.claims.push_back(*std::move(one));
    else
      claimed = std::unexpected(std::move(one.error()));
  };
  try {
    if (!name.empty()) claim(options_.names->claim(name, holder, life));
    if (claimed && entry.spec.via) claim(entry.spec.via->claim(holder));
  } catch (...) {
    claimed = std::unexpected(supervisor::error_of_exception());
  }
  if (!claimed) entry.claims.clear();
  return claimed;
}

// Whatever a life had is free for the next, though somebody may hold its object.
template <class Sync>
void BasicSupervisor<Sync>::Core::give_up_names(ChildEntry& entry) {
  entry.claims.clear();
  entry.owners.end();
}

template <class Sync>
void BasicSupervisor<Sync>::Core::stop_life(ChildEntry& entry) {
  const Time deadline = ask_to_stop(entry);
  await_end(entry, deadline);
}

// All that run: in reverse order, each once the last has ended; those of a dynamic one, which have
// no order, all at once.
template <class Sync>
void BasicSupervisor<Sync>::Core::stop_lives() {
  std::multimap<Time, ChildEntry*> asked;  // by deadline: then no wait for one exceeds another's
  for (auto each = children_.rbegin(); each != children_.rend(); ++each) {
    ChildEntry& entry = **each;
    if (!entry.child) continue;
    const Time deadline = ask_to_stop(entry);
    if (dynamic_)
      asked.emplace(deadline, &entry);
    else
      await_end(entry, deadline);
  }
  for (const auto& [deadline, entry] : asked) await_end(*entry, deadline);
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::ask_to_stop(ChildEntry& entry) -> Time {
  assert(is_supervising() && entry.child && entry.life);
  for (const auto& claim : entry.claims) claim->hide();
  const Time asked = Clock::now();
  const Shutdown shutdown = entry.spec.shutdown;
  const Time deadline = shutdown.waits_forever() ? Time::max() : asked + shutdown.limit();
  {
    const std::scoped_lock lock(mailbox_->mutex);
    if (entry.life->outcome) return deadline;
  }
  try {
    entry.child->stop();
  } catch (...) {  // ignored: it has its time to end by itself
  }
  return deadline;
}

template <class Sync>
void BasicSupervisor<Sync>::Core::await_end(ChildEntry& entry, Time deadline) {
  const std::shared_ptr<Life> life = entry.life;
  const bool ended = ends_by(*life, deadline);
  finish_life(entry, ended, State::stopped);
  if (ended)
    observe(What::stopped, entry,
            *life->outcome ? std::nullopt : std::optional(life->outcome->error()));
  else
    observe(What::over_time, entry);
}

template <class Sync>
bool BasicSupervisor<Sync>::Core::ends_by(const Life& life, Time deadline) {
  const auto over = [&life] { return life.outcome.has_value(); };
  Lock lock(mailbox_->mutex);
  if (deadline != Time::max()) return mailbox_->changed.wait_until(lock, deadline, over);
  mailbox_->changed.wait(lock, over);
  return true;
}

// Finishes a life that has ended, or whose time to stop is over.
template <class Sync>
void BasicSupervisor<Sync>::Core::finish_life(ChildEntry& entry, bool ended, State next) {
  assert(is_supervising() && entry.child && entry.life);
  try {
    ended ? entry.child->collect() : entry.child->abandon();
  } catch (...) {  // ignored: what it left stays where it is
  }
  give_up_names(entry);
  std::shared_ptr<Child> child;  // outlives the lock
  const std::scoped_lock lock(mailbox_->mutex);
  child = std::exchange(entry.child, nullptr);
  entry.life.reset();
  entry.info.state = next;
  if (!ended) ++entry.info.abandoned;
}

template <class Sync>
void BasicSupervisor<Sync>::Core::observe(What what, const ChildEntry& entry,
                                          const std::optional<Error>& error, std::size_t restarts,
                                          std::chrono::milliseconds delay) const {
  if (!options_.observer) return;
  try {
    options_.observer({.what = what,
                       .supervisor = options_.name,
                       .child = entry.spec.id,
                       .error = error,
                       .restarts = restarts,
                       .delay = delay});
  } catch (...) {  // ignored: it only observes
  }
}

}  // namespace weir
