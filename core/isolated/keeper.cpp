#include "isolated/keeper.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "isolated/child_set.hpp"

namespace weir {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Keeper::Keeper(const IsolatedOptions& options)
    : look_every_(std::max(options.idle_max / 4, milliseconds(1))),
      farewell_(options.farewell),
      thread_([this] { keep(); }) {}

Keeper::~Keeper() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Keeper::watch(ChildSet& set) {
  const std::lock_guard lock(mutex_);
  sets_.push_back(&set);
}

void Keeper::forget(const ChildSet& set) {
  const std::lock_guard lock(mutex_);
  std::erase(sets_, &set);
}

void Keeper::end(std::vector<std::unique_ptr<IsolatedChild>> children) {
  for (const auto& child : children) child->dismiss();
  {
    const std::lock_guard lock(mutex_);
    std::ranges::move(children, std::back_inserter(ending_));
  }
  changed_.notify_one();
}

void Keeper::keep() {
  std::unique_lock lock(mutex_);
  while (!closing_ || !ending_.empty()) {
    changed_.wait_for(lock, look_every_, [&] { return closing_ || !ending_.empty(); });
    const auto now = steady_clock::now();
    for (ChildSet* const set : sets_)
      for (auto& idle : set->take_idle(now)) {
        idle->dismiss();
        ending_.push_back(std::move(idle));
      }
    auto ending = std::exchange(ending_, {});
    lock.unlock();
    for (const auto& child : ending) child->finish(now + farewell_);
    ending.clear();
    lock.lock();
  }
}

}  // namespace weir
