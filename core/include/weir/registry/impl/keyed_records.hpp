/// KeyedRegistry: what it keeps of a partition, of an owner, and of a change.
#pragma once
#include <weir/registry/keyed_registry.hpp>

namespace weir {

/// A change that listeners have not been notified of yet.
template <class Key, class Value, class Sync, class Hash>
struct KeyedRegistry<Key, Value, Sync, Hash>::PendingChange {
  typename Change::What what;
  Key key;
  OwnerId owner;
  keyed::Stored<Value> stored;
  std::shared_ptr<const Listeners> listeners;  // those that there were
};

template <class Key, class Value, class Sync, class Hash>
struct alignas(128) KeyedRegistry<Key, Value, Sync, Hash>::Partition {  // two lines: the prefetcher
                                                                        // loads neighbours too
  Table table;
  alignas(128) typename Sync::Mutex mutex;     // locked after the owner's
  std::shared_ptr<const Listeners> listeners;  // guarded by mutex, as what follows; null for none
  std::vector<PendingChange> pending;
  bool notifying = false;  // a thread notifies, and will do so for what is added
  std::uint64_t next_serial = 1;
  // Relaxed everywhere: only a number.
  typename Sync::template Atomic<std::size_t> entries{0};
  mutable typename Sync::Mutex owners_mutex;  // locked last
  // Those of its ids that have not ended; guarded by owners_mutex.
  std::unordered_map<OwnerId, std::shared_ptr<Record>> owners;
  Locks locks;

  // Under the mutex, so no other thread changes it meanwhile.
  void add_entries(std::size_t more) noexcept {
    entries.store(entries.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
};

template <class Key, class Value, class Sync, class Hash>
struct KeyedRegistry<Key, Value, Sync, Hash>::Record {
  KeyedRegistry* registry = nullptr;
  OwnerId id = 0;
  std::string name{};
  std::optional<keyed::Stored<Value>> own{};
  mutable typename Sync::Mutex mutex{};     // locked before a partition's
  keyed::Holdings<Node> holdings{};         // guarded by mutex, as what follows
  bool ended = false;                       // it can hold nothing more
  bool gone = false;                        // and the end() that ended it has done its work
  typename Sync::Condition gone_changed{};  // gone is true
};

}  // namespace weir
