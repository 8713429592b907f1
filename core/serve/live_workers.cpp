#include "serve/live_workers.hpp"

#include <utility>

namespace weir {
namespace {

void tell(Worker& worker, Wish wish) {
  if (wish == Wish::drain) worker.drain();
  if (wish == Wish::stop_now) worker.stop_now();
}

}  // namespace

LiveWorkers::Place::Place(LiveWorkers& among, Worker& worker) : among_(among), worker_(worker) {
  const std::lock_guard lock(among_.mutex_);
  among_.workers_.push_back(&worker_);
  tell(worker_, among_.wish_);
}

LiveWorkers::Place::~Place() {
  const std::lock_guard lock(among_.mutex_);
  std::erase(among_.workers_, &worker_);
}

void LiveWorkers::drain() {
  const std::lock_guard lock(mutex_);
  if (wish_ == Wish::serve) wish_ = Wish::drain;
  for (Worker* const worker : workers_) tell(*worker, Wish::drain);
}

void LiveWorkers::stop_now() {
  const std::lock_guard lock(mutex_);
  wish_ = Wish::stop_now;
  for (Worker* const worker : workers_) tell(*worker, Wish::stop_now);
}

void LiveWorkers::count_handlers_left(std::size_t count) {
  const std::lock_guard lock(mutex_);
  handlers_left_ += count;
}

std::size_t LiveWorkers::handlers_left() const {
  const std::lock_guard lock(mutex_);
  return handlers_left_;
}

}  // namespace weir
