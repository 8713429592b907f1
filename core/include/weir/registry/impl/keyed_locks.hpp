/// The locks of keys that a KeyedRegistry gives: who holds or awaits which, in the order of arrival.
///
/// Threads: a Lock belongs to one thread, and is made and destroyed by it.
///
/// Invariants:
/// - The list has one element for each call of lock() in progress, which is on the stack of its
///   thread. Of those with the same key the first one holds the lock, and no other does.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

namespace weir::keyed {

/// `Sought` is how a lookup takes a key. What it refers to must live as long as the lock.
template <class Sought, class Sync>
class Locks {
 public:
  class Lock {
   public:
    /// Waits until no earlier call has the key. Ends the program when that can never be: when it is
    /// this thread that has it.
    Lock(Locks& locks, std::uint64_t hash, Sought key, const std::string& registry)
        : locks_(locks), hash_(hash), key_(key) {
      std::unique_lock lock(locks_.mutex_);
      Lock** link = &locks_.first_;
      for (; *link != nullptr; link = &(*link)->next_) {
        if (!same(**link)) continue;
        if ((*link)->thread_ == thread_) never(registry);
        holds_ = false;
      }
      *link = this;
      turn_.wait(lock, [&] { return holds_; });
    }

    /// Gives the key to the call that has waited longest for it.
    ~Lock() {
      const std::scoped_lock lock(locks_.mutex_);
      Lock** link = &locks_.first_;
      while (*link != this) link = &(*link)->next_;
      *link = next_;
      for (Lock* each = next_; each != nullptr; each = each->next_) {
        if (!same(*each)) continue;
        each->holds_ = true;
        each->turn_.notify_one();  // under the mutex: the other may be destroyed once it is free
        return;
      }
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    bool same(const Lock& other) const { return other.hash_ == hash_ && other.key_ == key_; }

    [[noreturn]] static void never(const std::string& registry) {
      std::fprintf(stderr,
                   "%s: lock() is called by a thread that has the lock of this key: it would wait "
                   "for itself\n",
                   registry.c_str());
      std::abort();
    }

    Locks& locks_;
    const std::uint64_t hash_;
    const Sought key_;
    const std::size_t thread_ = Sync::thread_index();
    typename Sync::Condition turn_;
    Lock* next_ = nullptr;  // guarded by the mutex of the list, as what follows
    bool holds_ = true;
  };

 private:
  typename Sync::Mutex mutex_;
  Lock* first_ = nullptr;  // guarded by mutex_
};

}  // namespace weir::keyed
