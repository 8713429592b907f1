// One life of one child: how it begins and how it ends. All on the supervising thread.
#pragma once
#include <weir/supervisor/impl/core.hpp>

namespace weir {

template <class Sync>
auto BasicSupervisor<Sync>::Core::add(ChildSpec spec) -> Held& {
  auto held = std::make_unique<Held>();
  held->info.id = spec.id;
  held->info.name = spec.name;
  held->info.restart = spec.restart;
  held->info.state = State::stopped;
  held->spec = std::move(spec);
  const std::scoped_lock lock(mailbox_->mutex);
  return *children_.emplace_back(std::move(held));
}

template <class Sync>
void BasicSupervisor<Sync>::Core::remove(const Held& held) {
  std::unique_ptr<Held> gone;  // its specification is the user's: destroyed outside the lock
  const std::scoped_lock lock(mailbox_->mutex);
  const auto at = std::ranges::find(children_, &held, &std::unique_ptr<Held>::get);
  gone = std::move(*at);
  children_.erase(at);
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::start_life(Held& held) {
  const std::string& name = held.spec.name;
  if (!name.empty())
    if (auto claimed = options_.names->claim(name, options_.name + "/" + held.spec.id); !claimed)
      return claimed;
  const auto life = std::make_shared<Life>();
  const ChildEnd end([mailbox = mailbox_, life](Result<void> outcome) {
    Mailbox::report(mailbox, life, std::move(outcome));
  });
  auto child = [&]() -> Result<std::shared_ptr<Child>> {
    try {
      return held.spec.start(end);
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
    if (!name.empty()) options_.names->give_back(name);
    return std::unexpected(std::move(child.error()));
  }
  {
    const std::scoped_lock lock(mailbox_->mutex);
    held.child = *std::move(child);
    held.life = life;
    held.restart_at.reset();
    held.info.state = State::running;
    ++held.info.starts;
  }
  if (!name.empty()) options_.names->show(name, held.child, life);
  return {};
}

template <class Sync>
void BasicSupervisor<Sync>::Core::stop_life(Held& held) {
  if (!held.spec.name.empty()) options_.names->hide(held.spec.name);
  const std::shared_ptr<Life> life = held.life;
  const bool ended = ends_in_time(held);
  let_go(held, ended, State::stopped);
  if (ended)
    observe(What::stopped, held,
            *life->outcome ? std::nullopt : std::optional(life->outcome->error()));
  else
    observe(What::over_time, held);
}

template <class Sync>
bool BasicSupervisor<Sync>::Core::ends_in_time(Held& held) {
  const Life& life = *held.life;
  const auto over = [&life] { return life.outcome.has_value(); };
  const Time asked = Clock::now();
  {
    const std::scoped_lock lock(mailbox_->mutex);
    if (over()) return true;
  }
  try {
    held.child->stop();
  } catch (...) {  // ignored: it has its time to end by itself
  }
  Lock lock(mailbox_->mutex);
  if (!held.spec.shutdown.waits_forever())
    return mailbox_->news.wait_until(lock, asked + held.spec.shutdown.limit(), over);
  mailbox_->news.wait(lock, over);
  return true;
}

// Finishes a life that has ended, or whose time to stop is over.
template <class Sync>
void BasicSupervisor<Sync>::Core::let_go(Held& held, bool ended, State next) {
  try {
    ended ? held.child->collect() : held.child->abandon();
  } catch (...) {  // ignored: what it left stays where it is
  }
  if (!held.spec.name.empty()) options_.names->give_back(held.spec.name);
  std::shared_ptr<Child> child;  // outlives the lock
  const std::scoped_lock lock(mailbox_->mutex);
  child = std::exchange(held.child, nullptr);
  held.life.reset();
  held.info.state = next;
  if (!ended) ++held.info.abandoned;
}

template <class Sync>
void BasicSupervisor<Sync>::Core::observe(What what, const Held& held,
                                          const std::optional<Error>& error, std::size_t restarts,
                                          std::chrono::milliseconds delay) const {
  if (!options_.observer) return;
  try {
    options_.observer({.what = what,
                       .supervisor = options_.name,
                       .child = held.spec.id,
                       .error = error,
                       .restarts = restarts,
                       .delay = delay});
  } catch (...) {  // ignored: it only observes
  }
}

}  // namespace weir
