#include "client/run_stores.hpp"

namespace weir {

Result<RunStores::Loan> RunStores::borrow() {
  std::unique_lock lock(mutex_);
  came_back_.wait(lock, [&] { return !idle_.empty() || left_ > 0; });
  if (!idle_.empty()) {
    RunStore* const store = idle_.back();
    idle_.pop_back();
    return Loan(*this, *store);
  }
  --left_;
  lock.unlock();
  auto opened = open_();
  lock.lock();
  if (!opened) {
    ++left_;
    lock.unlock();
    came_back_.notify_one();
    return std::unexpected(opened.error());
  }
  owned_.push_back(*std::move(opened));
  return Loan(*this, *owned_.back());
}

void RunStores::take_back(RunStore* store) {
  {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(store);
  }
  came_back_.notify_one();
}

}  // namespace weir
