#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/registry/epochs.hpp>
#include <weir/registry/impl/handle_table.hpp>
#include <weir/registry/impl/start_error.hpp>
#include <weir/registry/shared_handles.hpp>

namespace weir {

namespace registry {
enum class Phase : std::uint8_t { starting, ready, doomed, ending, over };
}

/// One start and the handle it led to. Its key, options, hash and generation never change; the rest
/// is guarded by the core's mutex, except where a comment says otherwise.
template <class Key, class Handle, class Options, class Sync, class Hash>
struct alignas(64) SharedHandles<Key, Handle, Options, Sync, Hash>::Entry {
  Entry(const Key& of, const Options& with, std::size_t hashed)
      : hash(hashed), key(of), options(with), owner(Sync::thread_index()) {}

  // What a hit reads comes first, on one line of the cache when keys are strings.
  const std::size_t hash;
  std::weak_ptr<Handle> user;  // readers lock it, as `held` may be released meanwhile
  const Key key;
  // Written under the mutex. Its release at `ready` pairs with the acquire of readers without the
  // mutex, which read `user` then; `user` never changes again.
  typename Sync::template Atomic<registry::Phase> phase{registry::Phase::starting};
  [[no_unique_address]] const Options options;
  std::size_t owner;  // the thread that is inside the factory, or ends the handle; or no_owner
  std::uint64_t generation = 0;
  std::shared_ptr<Handle> held;      // the registry's own reference, while ready
  std::optional<Error> refusal;      // why callers that joined get no handle: doomed or failed
  bool died = false;                 // doomed by its Death
  typename Sync::Condition settled;  // the phase changed
  Entry* previous = nullptr;         // in the list of ready entries
  Entry* next = nullptr;
  std::shared_ptr<Entry> self;  // until the end of the epoch in which it left the table

  static constexpr std::size_t no_owner = std::numeric_limits<std::size_t>::max();
};

template <class Key, class Handle, class Options, class Sync, class Hash>
class SharedHandles<Key, Handle, Options, Sync, Hash>::Core {
  using Phase = registry::Phase;

 public:
  static constexpr bool has_options = !std::is_same_v<Options, std::monostate>;

  explicit Core(Observer callbacks) : observer(std::move(callbacks)) {}

  /// The handle, found without the mutex; `asked` null: don't compare options.
  Pointer hit(std::size_t hash, const Key& key, const Options* asked) {
    if constexpr (has_options) {
      std::optional<Options> first;
      Pointer found;
      {
        const typename Epochs<Sync>::Section section(epochs_);
        const Entry* const entry = find(hash, key);
        if (entry == nullptr || entry->phase.load(std::memory_order_acquire) != Phase::ready)
          return nullptr;
        found = entry->user.lock();
        if (found && asked != nullptr && !(entry->options == *asked)) first = entry->options;
      }
      if (first && observer.options_differ) observer.options_differ(key, *first, *asked);
      return found;
    } else {
      const typename Epochs<Sync>::Section section(epochs_);
      const Entry* const entry = find(hash, key);
      if (entry == nullptr || entry->phase.load(std::memory_order_acquire) != Phase::ready)
        return nullptr;
      return entry->user.lock();
    }
  }

  /// Makes `mine` the start of its key and returns null; or else waits for another start of the key
  /// and returns its result.
  Result<Pointer> claim_or_join(const std::shared_ptr<Entry>& mine, const Options& asked,
                                const Patience<Sync>& patience) {
    for (bool notified = false;;) {
      std::shared_ptr<Entry> other;
      Pointer found;
      {
        const typename HandleTable::Slots* outgrown = nullptr;
        std::unique_lock lock(mutex_);
        if (closed_) return std::unexpected(registry::not_started(mine->key));
        if (Entry* const existing = find(mine->hash, mine->key)) {
          other = existing->self;
          assert(other != nullptr);  // it is in the table
          found = existing->held;
        } else {
          mine->generation = ++generations_;
          mine->self = mine;
          outgrown = table_.insert(mine.get());
        }
        lock.unlock();
        if (outgrown != nullptr) epochs_.retire(outgrown);
      }
      if (!other) return Pointer();
      if (!std::exchange(notified, true)) notify_if_differing(*other, asked);
      if (found) return found;
      if (auto outcome = await(*other, patience)) return *std::move(outcome);
    }
  }

  /// Records the result of the factory of `entry`; returns the caller's result.
  Result<Pointer> settle(Entry& entry, Result<Pointer> made) {
    std::unique_lock lock(mutex_);
    if (phase_of(entry) == Phase::starting) {
      if (!made) {
        entry.refusal = made.error();
        remove(entry, lock);
        return made;
      }
      entry.user = *made;
      entry.held = *made;
      link(entry);
      entry.phase.store(Phase::ready, std::memory_order_release);
      entry.settled.notify_all();
      return made;
    }
    assert(entry.refusal.has_value());  // doomed
    lock.unlock();
    if (made) {
      if (!entry.died) notify_stopping(entry, **made);
      made = std::unexpected(*entry.refusal);  // releases the handle
    }
    lock.lock();
    remove(entry, lock);  // only now: a later start must find that this one has ended
    return made;
  }

  bool stop(std::size_t hash, const Key& key) {
    std::unique_lock lock(mutex_);
    Entry* const entry = find(hash, key);
    if (entry == nullptr) return false;
    switch (phase_of(*entry)) {
      case Phase::starting:
        doom(*entry, registry::stopped(key));
        return true;
      case Phase::ready: {
        const std::shared_ptr<Entry> kept = entry->self;
        begin_end(*entry, lock);
        return true;
      }
      default:
        return false;  // it was stopped before, and has not ended yet
    }
  }

  // What a Lease reports, before and after it releases the handle that the factory made. The key of
  // one that was stopped is free only then.
  void last_user_leaves(Entry& entry) {
    const std::scoped_lock lock(mutex_);
    if (phase_of(entry) == Phase::ending) entry.owner = Sync::thread_index();
  }
  void has_ended(Entry& entry) {
    Lock lock(mutex_);
    if (phase_of(entry) == Phase::ending) remove(entry, lock);
  }

  void die(Entry& entry) {
    std::unique_lock lock(mutex_);
    if (phase_of(entry) == Phase::starting) {
      entry.died = true;
      doom(entry, registry::died(entry.key));
    } else if (phase_of(entry) == Phase::ready) {
      end(entry, lock, false);
    }
  }

  std::vector<Listed> list() const {
    std::vector<std::pair<std::shared_ptr<const Entry>, Pointer>> ready;
    {
      const std::scoped_lock lock(mutex_);
      ready.reserve(ready_count_);
      for (const Entry* each = first_; each != nullptr; each = each->next)
        ready.emplace_back(each->self, each->held);
    }
    std::vector<Listed> listed;
    listed.reserve(ready.size());
    for (auto& [entry, handle] : ready)
      listed.push_back({entry->key, entry->generation, std::move(handle)});
    return listed;
  }

  std::size_t count() const {
    const std::scoped_lock lock(mutex_);
    return ready_count_;
  }

  std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(waits_, [](const Wait& wait) { return wait.entry != nullptr; }));
  }

  std::size_t shutdown() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    std::vector<std::shared_ptr<Entry>> ending;  // their users may outlive the registry
    table_.for_each([&](Entry& entry) {
      if (phase_of(entry) == Phase::starting) doom(entry, registry::not_started(entry.key));
      if (phase_of(entry) == Phase::ending) ending.push_back(entry.self);
    });
    for (const std::shared_ptr<Entry>& each : ending) {
      if (phase_of(*each) == Phase::ending) remove(*each, lock);
      if (!lock.owns_lock()) lock.lock();
    }
    std::size_t ended = 0;
    for (; last_ != nullptr; ++ended) {
      const std::shared_ptr<Entry> kept = last_->self;
      end(*kept, lock, true);
      lock.lock();
    }
    assert(ready_count_ == 0 && first_ == nullptr);
    return ended;
  }

  const Observer observer;

 private:
  using HandleTable = registry::HandleTable<Entry, Sync>;
  using Lock = std::unique_lock<typename Sync::Mutex>;

  // What a thread waits for: until a start is settled in some way, or until it is over.
  struct Wait {
    const Entry* entry = nullptr;
    bool until_over = false;
  };

  Entry* find(std::size_t hash, const Key& key) const {
    return table_.find(hash, [&](const Entry& entry) { return entry.key == key; });
  }

  static Phase phase_of(const Entry& entry) {
    return entry.phase.load(std::memory_order_relaxed);  // under the mutex
  }

  static bool is_satisfied(const Wait& wait) {
    const Phase phase = phase_of(*wait.entry);
    return wait.until_over ? phase == Phase::over : phase != Phase::starting;
  }

  void notify_if_differing(const Entry& entry, const Options& asked) const {
    if constexpr (has_options)
      if (observer.options_differ && !(entry.options == asked))
        observer.options_differ(entry.key, entry.options, asked);
  }

  void notify_stopping(const Entry& entry, Handle& handle) const {
    if (observer.stopping) observer.stopping(entry.key, handle);
  }

  // Waits for another thread's start. nullopt when that is over and gives no result: the caller
  // must try again.
  std::optional<Result<Pointer>> await(Entry& other, const Patience<Sync>& patience) {
    const typename Cancellation<Sync>::Waker waker(patience.cancellation, mutex_, other.settled);
    Lock lock(mutex_);
    // A doomed one has refused the callers that joined it. Later callers start again once it is
    // over, as they do after one that is ending.
    const bool ending = phase_of(other) == Phase::ending;
    const Wait wait{&other, ending || phase_of(other) == Phase::doomed};
    if (!is_satisfied(wait)) {
      if (auto cycle = cycle_through(other)) return std::unexpected(*std::move(cycle));
      const auto cancelled = [&] {
        return patience.cancellation != nullptr && patience.cancellation->cancelled();
      };
      const auto done = [&] { return is_satisfied(wait) || cancelled(); };
      const std::size_t me = Sync::thread_index();
      if (waits_.size() <= me) waits_.resize(me + 1);
      assert(waits_[me].entry == nullptr);  // a thread waits for one start
      waits_[me] = wait;
      if (patience.deadline)
        other.settled.wait_until(lock, *patience.deadline, done);
      else
        other.settled.wait(lock, done);
      waits_[me] = {};
      if (!is_satisfied(wait))
        return std::unexpected(cancelled() ? registry::wait_cancelled(other.key)
                               : ending    ? registry::end_timeout(other.key)
                                           : registry::start_timeout(other.key));
    }
    if (wait.until_over) return std::nullopt;
    if (other.refusal) return std::unexpected(*other.refusal);
    if (other.held) return other.held;
    return std::nullopt;
  }

  // The error, when waiting for `wanted` would close a cycle through this thread.
  std::optional<Error> cycle_through(const Entry& wanted) const {
    const std::size_t me = Sync::thread_index();
    std::string path = registry::text_of(wanted.key);
    const Entry* each = &wanted;
    while (each->owner != me) {
      if (each->owner >= waits_.size()) return std::nullopt;
      const Wait& next = waits_[each->owner];
      if (next.entry == nullptr || is_satisfied(next)) return std::nullopt;
      each = next.entry;
      path += ", which waits for " + registry::text_of(each->key);
    }
    return registry::would_deadlock(path, phase_of(*each) == Phase::ending);
  }

  void doom(Entry& entry, Error why) {
    entry.refusal = std::move(why);
    entry.phase.store(Phase::doomed, std::memory_order_relaxed);
    entry.settled.notify_all();
  }

  // Stops a ready handle: its entry stays until its Lease says that it has ended. Returns without
  // the lock.
  void begin_end(Entry& entry, Lock& lock) {
    assert(entry.held != nullptr);
    unlink(entry);
    const Pointer handle = std::move(entry.held);
    entry.owner = Sync::thread_index();
    entry.phase.store(Phase::ending, std::memory_order_relaxed);
    lock.unlock();
    notify_stopping(entry, *handle);
    lock.lock();
    entry.owner = Entry::no_owner;
    lock.unlock();
  }

  // Ends a ready handle that died, or all of them at the shutdown: nobody waits for its end.
  // Returns without the lock.
  void end(Entry& entry, Lock& lock, bool notify) {
    assert(entry.held != nullptr);
    unlink(entry);
    Pointer handle = std::move(entry.held);
    const std::shared_ptr<Entry> kept = entry.self;
    remove(entry, lock);
    if (notify) notify_stopping(entry, *handle);
    handle.reset();
  }

  // Removes the entry from the table. Returns without the lock.
  void remove(Entry& entry, Lock& lock) {
    table_.remove(&entry);
    entry.phase.store(Phase::over, std::memory_order_relaxed);
    entry.settled.notify_all();
    lock.unlock();
    epochs_.retire(&entry, [](void* gone) noexcept {
      const std::shared_ptr<Entry> last = std::move(static_cast<Entry*>(gone)->self);
    });
  }

  void link(Entry& entry) {
    assert(entry.previous == nullptr && entry.next == nullptr && first_ != &entry);
    entry.previous = std::exchange(last_, &entry);
    (entry.previous != nullptr ? entry.previous->next : first_) = &entry;
    ++ready_count_;
  }

  void unlink(Entry& entry) {
    assert((entry.previous != nullptr ? entry.previous->next : first_) == &entry);
    assert((entry.next != nullptr ? entry.next->previous : last_) == &entry);
    (entry.previous != nullptr ? entry.previous->next : first_) = entry.next;
    (entry.next != nullptr ? entry.next->previous : last_) = entry.previous;
    --ready_count_;
  }

  HandleTable table_;                   // searched without the mutex, changed under it
  Epochs<Sync> epochs_;                 // keeps what searches may still use
  mutable typename Sync::Mutex mutex_;  // guards all that follows
  Entry* first_ = nullptr;              // the ready entries, in the order they became so
  Entry* last_ = nullptr;
  std::size_t ready_count_ = 0;
  std::uint64_t generations_ = 0;
  bool closed_ = false;
  std::vector<Wait> waits_;  // by thread index
};

}  // namespace weir
