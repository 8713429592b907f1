#include "isolated/child_reaper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "isolated/child_set.hpp"

namespace weir {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

ChildReaper::ChildReaper(const IsolatedOptions& options)
    : idle_check_interval_(std::max(options.idle_max / 4, milliseconds(1))),
      end_patience_(options.end_patience),
      thread_([this] { run(); }) {}

ChildReaper::~ChildReaper() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
  WEIR_ASSERT(ending_.empty() && sets_.empty());  // all have ended, and every set holds this object
}

void ChildReaper::watch(ChildSet& set) {
  const std::lock_guard lock(mutex_);
  sets_.push_back(&set);
}

void ChildReaper::unwatch(const ChildSet& set) {
  const std::lock_guard lock(mutex_);
  const std::size_t erased = std::erase(sets_, &set);
  WEIR_ASSERT(erased == 1);
}

void ChildReaper::end(std::vector<std::unique_ptr<IsolatedChild>> children) {
  for (const auto& child : children) child->request_end();
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(children, std::back_inserter(ending_));
  }
  changed_.notify_one();
}

void ChildReaper::run() {
  std::unique_lock lock(mutex_);
  while (!closing_ || !ending_.empty()) {
    changed_.wait_for(lock, idle_check_interval_, [&] { return closing_ || !ending_.empty(); });
    const auto now = steady_clock::now();
    for (ChildSet* const set : sets_)
      for (auto& idle : set->take_idle(now)) {
        idle->request_end();
        ending_.push_back(std::move(idle));
      }
    auto ending = std::exchange(ending_, {});
    lock.unlock();
    for (const auto& child : ending) child->finish(now + end_patience_);
    ending.clear();
    lock.lock();
  }
}

}  // namespace weir
