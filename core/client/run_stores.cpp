#include "client/run_stores.hpp"

namespace weir {

Result<RunStores::Loan> RunStores::borrow() {
  std::unique_lock lock(mutex_);
  available_.wait(lock, [&] { return !idle_.empty() || remaining_ > 0; });
  if (!idle_.empty()) {
    RunStore* const store = idle_.back();
    idle_.pop_back();
    return Loan(*this, *store);
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
  return Loan(*this, *owned_.back());
}

void RunStores::return_store(RunStore* store) {
  {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(store);
  }
  available_.notify_one();
}

}  // namespace weir
