#include "isolated/child_set.hpp"

#include <algorithm>
#include <utility>

namespace weir {
namespace {

constexpr std::chrono::milliseconds look_every{20};

}  // namespace

ChildSet::ChildSet(std::shared_ptr<Keeper> keeper, IsolatedOptions options, PluginInspection plugin,
                   StagedCopy staged)
    : keeper_(std::move(keeper)),
      options_(std::move(options)),
      plugin_(std::move(plugin)),
      staged_(std::move(staged)) {
  keeper_->watch(*this);
}

ChildSet::~ChildSet() {
  keeper_->forget(*this);
  std::vector<std::unique_ptr<IsolatedChild>> all;
  for (Idle& idle : idle_) all.push_back(std::move(idle.child));
  if (!all.empty()) keeper_->end(std::move(all));
}

std::expected<std::unique_ptr<IsolatedChild>, PluginError> ChildSet::lease(
    const std::function<bool()>& cancelled) {
  {
    std::unique_lock lock(mutex_);
    while (idle_.empty() && count_ >= options_.processes) {
      given_back_.wait_for(lock, look_every);
      if (idle_.empty() && cancelled()) return nullptr;
    }
    if (!idle_.empty()) {
      auto child = std::move(idle_.back().child);
      idle_.pop_back();
      return child;
    }
    ++count_;
  }
  auto child = IsolatedChild::start(options_, plugin_, staged_);
  if (!child) lost();
  return child;
}

void ChildSet::give_back(std::unique_ptr<IsolatedChild> child) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back({std::move(child), std::chrono::steady_clock::now()});
  }
  given_back_.notify_one();
}

void ChildSet::lost() {
  {
    const std::lock_guard lock(mutex_);
    --count_;
  }
  given_back_.notify_one();
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
