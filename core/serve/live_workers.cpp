#include "serve/live_workers.hpp"

#include <utility>

#include "base/assert.hpp"

namespace weir {
namespace {

void request_stop(Worker& worker, StopRequest request) {
  if (request == StopRequest::drain) worker.drain();
  if (request == StopRequest::stop_now) worker.stop_now();
}

}  // namespace

LiveWorkers::Place::Place(LiveWorkers& live, Worker& worker) : live_(live), worker_(worker) {
  const std::lock_guard lock(live_.mutex_);
  live_.workers_.push_back(&worker_);
  request_stop(worker_, live_.stop_request_);
}

LiveWorkers::Place::~Place() {
  const std::lock_guard lock(live_.mutex_);
  const std::size_t erased = std::erase(live_.workers_, &worker_);
  WEIR_ASSERT(erased == 1);
}

void LiveWorkers::drain() {
  const std::lock_guard lock(mutex_);
  if (stop_request_ == StopRequest::none) stop_request_ = StopRequest::drain;
  for (Worker* const worker : workers_) request_stop(*worker, StopRequest::drain);
}

void LiveWorkers::stop_now() {
  const std::lock_guard lock(mutex_);
  stop_request_ = StopRequest::stop_now;
  for (Worker* const worker : workers_) request_stop(*worker, StopRequest::stop_now);
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
