#include "client/run_stores.hpp"

#include <algorithm>

namespace weir {

Result<RunStores::Loan> RunStores::borrow() {
  std::unique_lock lock(mutex_);
  available_.wait(lock, [&] { return !idle_.empty() || remaining_ > 0; });
  if (!idle_.empty()) {
    RunStore* const store = idle_.back();
    idle_.pop_back();
    return lend(*store);
  }
  --remaining_;
  lock.unlock();
  auto opened = open_();
  lock.lock();
  if (!opened) {
    ++remaining_;
    lock.unlock();
    available_.notify_one();
    return std::unexpected(opened.error());
  }
  owned_.push_back(*std::move(opened));
  return lend(*owned_.back());
}

// Call it under the mutex.
RunStores::Loan RunStores::lend(RunStore& store) {
  ++lent_;
  return {*this, store};
}

void RunStores::return_store(RunStore* store) {
  {
    const std::scoped_lock lock(mutex_);
    WEIR_ASSERT(lent_ > 0);
    WEIR_DEBUG_ASSERT(std::ranges::find(idle_, store) == idle_.end());
    --lent_;
    idle_.push_back(store);
  }
  available_.notify_one();
}

}  // namespace weir
