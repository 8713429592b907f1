// One life of one child: how it begins and how it ends. All on the supervising thread.
#pragma once
#include <weir/supervisor/impl/core.hpp>

namespace weir {

template <class Sync>
auto BasicSupervisor<Sync>::Core::add(ChildSpec spec) -> ChildEntry& {
  assert(is_supervising() && find(spec.id) == nullptr);
  auto entry = std::make_unique<ChildEntry>();
  entry->info.id = spec.id;
  entry->info.name = spec.name;
  entry->info.restart = spec.restart;
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

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::start_life(ChildEntry& entry) {
  assert(is_supervising() && !entry.child && !entry.life);  // one life at a time
  const std::string& name = entry.spec.name;
  if (!name.empty())
    if (auto claimed = options_.names->claim(name, options_.name + "/" + entry.spec.id); !claimed)
      return claimed;
  const auto life = std::make_shared<Life>();
  const ChildEnd end([mailbox = mailbox_, life](Result<void> outcome) {
    Mailbox::report(mailbox, life, std::move(outcome));
  });
  auto child = [&]() -> Result<std::shared_ptr<Child>> {
    try {
      return entry.spec.start(end);
    } catch (...) {
      return std::unexpected(supervisor::error_of_exception());
    }
  }();
  if (child && !*child)
    child = std::unexpected(Error{.code = ErrorCode::internal,
                                  .kind = "no_child",
                                  .message = "its start returned neither a child nor an error",
                                  .hint = "return the child that was started"});
  if (!child) {
    if (!name.empty()) options_.names->release(name);
    return std::unexpected(std::move(child.error()));
  }
  {
    const std::scoped_lock lock(mailbox_->mutex);
    entry.child = *std::move(child);
    entry.life = life;
    entry.restart_at.reset();
    entry.info.state = State::running;
    ++entry.info.starts;
  }
  if (!name.empty()) options_.names->show(name, entry.child, life);
  return {};
}

template <class Sync>
void BasicSupervisor<Sync>::Core::stop_life(ChildEntry& entry) {
  assert(is_supervising() && entry.child && entry.life);
  if (!entry.spec.name.empty()) options_.names->hide(entry.spec.name);
  const std::shared_ptr<Life> life = entry.life;
  const bool ended = ends_in_time(entry);
  finish_life(entry, ended, State::stopped);
  if (ended)
    observe(What::stopped, entry,
            *life->outcome ? std::nullopt : std::optional(life->outcome->error()));
  else
    observe(What::over_time, entry);
}

template <class Sync>
bool BasicSupervisor<Sync>::Core::ends_in_time(ChildEntry& entry) {
  const Life& life = *entry.life;
  const auto over = [&life] { return life.outcome.has_value(); };
  const Time asked = Clock::now();
  {
    const std::scoped_lock lock(mailbox_->mutex);
    if (over()) return true;
  }
  try {
    entry.child->stop();
  } catch (...) {  // ignored: it has its time to end by itself
  }
  Lock lock(mailbox_->mutex);
  if (!entry.spec.shutdown.waits_forever())
    return mailbox_->changed.wait_until(lock, asked + entry.spec.shutdown.limit(), over);
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
  if (!entry.spec.name.empty()) options_.names->release(entry.spec.name);
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
