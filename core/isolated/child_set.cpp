#include "isolated/child_set.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace {

constexpr std::chrono::milliseconds poll_interval{20};

}  // namespace

ChildSet::ChildSet(std::shared_ptr<ChildReaper> reaper, IsolatedOptions options,
                   PluginInspection plugin, StagedCopy staged)
    : reaper_(std::move(reaper)),
      options_(std::move(options)),
      plugin_(std::move(plugin)),
      staged_(std::move(staged)) {
  reaper_->watch(*this);
}

ChildSet::~ChildSet() {
  reaper_->unwatch(*this);
  WEIR_DEBUG_ASSERT(idle_.size() == count_);
  std::vector<std::unique_ptr<IsolatedChild>> all;
  for (Idle& idle : idle_) all.push_back(std::move(idle.child));
  if (!all.empty()) reaper_->end(std::move(all));
}

std::expected<std::unique_ptr<IsolatedChild>, PluginError> ChildSet::lease(
    const std::function<bool()>& cancelled) {
  {
    std::unique_lock lock(mutex_);
    while (idle_.empty() && count_ >= options_.processes) {
      available_.wait_for(lock, poll_interval);
      if (idle_.empty() && cancelled()) return nullptr;
    }
    if (!idle_.empty()) {
      auto child = std::move(idle_.back().child);
      idle_.pop_back();
      return child;
    }
    ++count_;
    WEIR_ASSERT(count_ <= options_.processes);
  }
  auto child = IsolatedChild::start(options_, plugin_, staged_);
  if (!child) discard_child();
  return child;
}

void ChildSet::return_child(std::unique_ptr<IsolatedChild> child) {
  {
    const std::lock_guard lock(mutex_);
    WEIR_ASSERT(child != nullptr && idle_.size() < count_);
    idle_.push_back({std::move(child), std::chrono::steady_clock::now()});
  }
  available_.notify_one();
}

void ChildSet::discard_child() {
  {
    const std::lock_guard lock(mutex_);
    WEIR_ASSERT(idle_.size() < count_);  // it was leased
    --count_;
  }
  available_.notify_one();
}

std::vector<std::unique_ptr<IsolatedChild>> ChildSet::take_idle(
    std::chrono::steady_clock::time_point now) {
  std::vector<std::unique_ptr<IsolatedChild>> taken;
  const std::lock_guard lock(mutex_);
  while (count_ > 1 && !idle_.empty() && now - idle_.front().since >= options_.idle_max) {
    taken.push_back(std::move(idle_.front().child));
    idle_.erase(idle_.begin());
    --count_;
  }
  return taken;
}

std::size_t ChildSet::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace weir
