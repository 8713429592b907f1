/// Threads: every member may be called from any thread, also from factories, observers and the
/// destructors of handles: none of them runs under a lock. Only the hash, == and text of keys run
/// under the mutex, and must not call back. A hit takes no lock.
///
/// Invariants:
/// - At most one factory runs for a key at any moment, and none before the handle that was stopped
///   has ended: what only one may have open is never open twice.
/// - Every start is an entry of its own, a generation: a stop or a death ends exactly the entry
///   that was met, never the one that a later caller starts.
/// - An entry goes starting → ready → ending → over, or from starting through doomed or directly, or
///   from ready directly, to over; under the mutex. Only ready ones are handed out; over ones are
///   out of the table, and freed once no reader can use them.
/// - A wait that would close a cycle of starts, ends and waits is refused. Who holds a handle is not
///   known: a thread that keeps a stopped one and waits for its key waits for itself.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <weir/registry/cancellation.hpp>
#include <weir/registry/key_hash.hpp>
#include <weir/result.hpp>
#include <weir/sync.hpp>

namespace weir {

/// How long to wait for another thread's start. Without either: until it is over.
template <class Sync = StdSync>
struct Patience {
  std::optional<typename Sync::Clock::time_point> deadline = {};
  Cancellation<Sync>* cancellation = nullptr;
};

/// What is expensive to open, opened once: `get_or_start(key, options, factory)` gives the handle
/// of that key, and starts it with the factory when there is none. Any number of callers share one
/// start, its result and its failure; callers of other keys never wait for it.
///
///     SharedHandles<std::string, Clone> clones;
///     auto clone = clones.get_or_start(path, [](const auto& starting) -> Result<Ptr> {
///       return Clone::make(starting.key);
///     });
///
/// The registry holds a reference of its own to every handle until it is stopped, dies or the
/// registry ends. A handle's destructor runs when that one and the last user's are gone, on the
/// thread that released the last; with that it has ended. So a factory gives its only pointer away:
/// of one that it keeps, or that the handle makes of itself, the registry knows nothing.
/// Key, Options: copyable values with ==; Hash: of keys.
template <class Key, class Handle, class Options = std::monostate, class Sync = StdSync,
          class Hash = KeyHash<Key>>
class SharedHandles {
  struct Entry;
  class Lease;
  class Core;

 public:
  using Pointer = std::shared_ptr<Handle>;

  /// Callbacks, on the thread that caused them. They must not throw.
  struct Observer {
    /// A caller asked for `key` with other options than its handle was or is being started with:
    /// the first ones count, and the caller gets that handle.
    std::function<void(const Key& key, const Options& first, const Options& asked)> options_differ =
        {};
    /// A handle is ended by stop(), shutdown() or the end of the registry. Not called for one that
    /// died. Called before the registry releases it, once for each.
    std::function<void(const Key& key, Handle& handle)> stopping = {};
  };

  /// With this a handle reports that it died. Copyable; may outlive the handle and the registry.
  class Death {
   public:
    /// Removes the handle, so that it is never handed out again; the next caller starts a new one, and
    /// waits for nobody who still holds this one. During the start: callers that wait for it are refused (`died`). A second call, or one after
    /// a stop, does nothing. When nothing else holds the handle, its destructor runs here: so don't
    /// call it from a thread that the destructor joins.  [any thread]
    void announce() const;

   private:
    friend class SharedHandles;
    Death(std::weak_ptr<Core> core, std::weak_ptr<Entry> entry)
        : core_(std::move(core)), entry_(std::move(entry)) {}
    std::weak_ptr<Core> core_;
    std::weak_ptr<Entry> entry_;
  };

  /// What a factory is given; the references are valid until it returns.
  struct Starting {
    const Key& key;
    const Options& options;
    Death death;
  };

  struct Listed {
    Key key;
    std::uint64_t generation;  ///< counts all starts of this registry, from 1
    Pointer handle;
  };

  explicit SharedHandles(Observer observer = {});

  /// As shutdown(). No call may be running any more.
  ~SharedHandles();
  SharedHandles(const SharedHandles&) = delete;
  SharedHandles& operator=(const SharedHandles&) = delete;

  /// The handle of `key`; started on this thread by `factory(const Starting&)`, which returns a
  /// Result<Pointer>, when there is none and no thread starts it. `patience` bounds the wait for
  /// another thread's start, and for the end of a handle that was stopped, never the factory's own
  /// run. A start continues for the others when one of them gives up.
  ///
  /// A failed start, also by an exception, is removed once the callers that joined it have its
  /// error: the next caller starts again.
  ///
  /// Errors: the factory's own; unavailable, kinds
  /// - `start_timeout`, `end_timeout`, `cancelled`: patience ended before the start did, or the end
  ///   of a handle that was stopped;
  /// - `stopped`, `died`: the start was stopped, or said that it died, before it was over;
  /// - `not_started`: after shutdown();
  /// - `start_failed`: the factory threw (with what it said), or made nothing;
  /// conflict, kind `would_deadlock`: the start or end that the call would wait for waits, perhaps
  /// through others, for one that this thread is making. Detected within one registry.
  ///
  /// Cost: a hit about 40 ns, without a lock; a miss below 1 µs and the factory. Keys and options
  /// of ended entries are destroyed during any later miss, stop or end.  [any thread]
  template <class Factory>
  Result<Pointer> get_or_start(const Key& key, const Options& options, Factory&& factory,
                               const Patience<Sync>& patience);
  template <class Factory>
  Result<Pointer> get_or_start(const Key& key, const Options& options, Factory&& factory) {
    return get_or_start(key, options, std::forward<Factory>(factory), no_limit_);
  }
  template <class Factory>
    requires std::is_same_v<Options, std::monostate>
  Result<Pointer> get_or_start(const Key& key, Factory&& factory) {
    return get_or_start(key, Options(), std::forward<Factory>(factory), no_limit_);
  }

  /// The handle of `key` if it is ready: null while it starts. Never waits.
  Pointer lookup(const Key& key) const;

  /// Ends the handle of `key`: it is no longer handed out, the observer is called, the registry
  /// releases it. Its key is free when it has ended, which is when its last user has released it:
  /// a later get_or_start waits for that, and starts a new one. One that is being started ends as
  /// soon as its factory returns; callers that wait for it are refused at once (`stopped`). Never
  /// waits for a factory or a user. False when there is nothing to stop: a second call does no harm.
  bool stop(const Key& key);

  /// The handles that are ready at one moment, in the order in which they became so. Cost: linear,
  /// under the mutex.
  std::vector<Listed> list() const;
  std::size_t count() const;

  /// How many callers wait at present, for starts of other threads and for ends.
  std::size_t waiting() const;

  /// Ends every handle, the most recent first, and makes get_or_start refuse from now on; users keep
  /// what they have, and callers that wait are refused (`not_started`). A handle
  /// that is being started ends as soon as its factory returns, on that thread. Returns how many
  /// handles it ended itself; a second call ends nothing.
  std::size_t shutdown();

 private:
  static constexpr Patience<Sync> no_limit_{};

  static std::size_t hash_of(const Key& key);

  std::shared_ptr<Core> core_;  // shared with Death tokens, which check whether it still lives
};

}  // namespace weir

#include <weir/registry/impl/shared_handles.hpp>  // IWYU pragma: export
