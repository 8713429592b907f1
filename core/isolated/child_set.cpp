#include "isolated/child_set.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace {

constexpr std::chrono::milliseconds poll_interval{20};

}  // namespace

ChildSet::ChildSet(std::shared_ptr<ChildReaper> reaper, std::shared_ptr<ChildReader> reader,
                   IsolatedOptions options, PluginInspection plugin, StagedCopy staged)
    : reaper_(std::move(reaper)),
      reader_(std::move(reader)),
      options_(std::move(options)),
      plugin_(std::move(plugin)),
      staged_(std::move(staged)) {
  reaper_->watch(*this);
}

ChildSet::~ChildSet() {
  reaper_->unwatch(*this);
  WEIR_DEBUG_ASSERT(idle_.size() == count_);
  std::vector<std::unique_ptr<IsolatedChild>> all;
  for (Idle& idle : idle_) {
    reader_->forget(idle.child->id());
    all.push_back(std::move(idle.child));
  }
  if (!all.empty()) reaper_->end(std::move(all));
}

std::expected<std::unique_ptr<IsolatedChild>, PluginError> ChildSet::lease(
    const std::function<bool()>& cancelled) {
  {
    std::unique_lock lock(mutex_);
    while (idle_.empty() && (count_ >= options_.processes || reading_ != 0)) {
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
  auto child = IsolatedChild::start(options_, plugin_, staged_, reader_);
  if (!child) discard_started();
  return child;
}

std::unique_ptr<IsolatedChild> ChildSet::take(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::ranges::find(idle_, id, [](const Idle& idle) { return idle.child->id(); });
  if (found == idle_.end()) return nullptr;
  WEIR_ASSERT(reading_ == 0);
  reading_ = id;
  auto child = std::move(found->child);
  idle_.erase(found);
  return child;
}

void ChildSet::return_child(std::unique_ptr<IsolatedChild> child,
                            const std::weak_ptr<ChildReader::Plugin>& plugin) {
  {
    const std::lock_guard lock(mutex_);
    WEIR_ASSERT(child != nullptr && idle_.size() < count_);
    if (reading_ == child->id()) reading_ = 0;
    // Under the lock: take() finds it here, and nobody else ends it before.
    if (child->has_pending()) reader_->watch(*child, plugin);
    idle_.push_back({std::move(child), std::chrono::steady_clock::now()});
  }
  available_.notify_one();
}

void ChildSet::discard_child(std::uint64_t id) {
  reader_->forget(id);
  {
    const std::lock_guard lock(mutex_);
    if (reading_ == id) reading_ = 0;
  }
  discard_started();
}

void ChildSet::discard_started() {
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
  for (auto idle = idle_.begin();
       idle != idle_.end() && count_ > 1 && now - idle->since >= options_.idle_max;) {
    if (idle->child->has_pending()) {
      ++idle;
      continue;
    }
    reader_->forget(idle->child->id());
    taken.push_back(std::move(idle->child));
    idle = idle_.erase(idle);
    --count_;
  }
  return taken;
}

std::size_t ChildSet::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace weir
