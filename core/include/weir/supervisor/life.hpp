#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <weir/result.hpp>

namespace weir::supervisor {

/// One life of a child: from one start to its end.
template <class Sync>
struct Life {
  /// Set once, under the mutex of the mailbox; for the supervising thread.
  std::optional<Result<void>> outcome{};
  /// The same for lookups of the child by its name: released after `outcome` was set, acquired in
  /// BasicChildNames.
  typename Sync::template Atomic<bool> over{false};
};

/// Where children report their ends. Kept by its children when the supervisor is gone.
template <class Sync>
struct Mailbox {
  typename Sync::Mutex mutex{};
  typename Sync::Condition changed{};                ///< for the supervising thread alone
  std::deque<std::shared_ptr<Life<Sync>>> deaths{};  ///< not yet handled, in the order reported

  static void report(const std::shared_ptr<Mailbox>& mailbox,
                     const std::shared_ptr<Life<Sync>>& life, Result<void> outcome) {
    {
      const std::scoped_lock lock(mailbox->mutex);
      if (life->outcome) return;
      life->outcome = std::move(outcome);
      life->over.store(true, std::memory_order_release);
      mailbox->deaths.push_back(life);
    }
    mailbox->changed.notify_one();
  }
};

}  // namespace weir::supervisor
