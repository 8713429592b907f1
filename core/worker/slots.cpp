#include "worker/slots.hpp"

#include <optional>
#include <set>

#include "step/fault_handler.hpp"
#include "step/step_call.hpp"

namespace weir {

// Shared with the threads, so that a thread whose handler never returns can be left behind.
struct Slots::Shared {
  std::shared_ptr<StepResources> resources;
  std::shared_ptr<Log> log;
  std::function<void()> on_finished;
  std::shared_ptr<FlightRecorder> recorder;
  std::mutex mutex;
  std::condition_variable changed;  // an attempt waits, closing, or a thread ended
  std::deque<std::shared_ptr<Attempt>> waiting;
  std::vector<std::shared_ptr<Attempt>> finished;
  std::set<const Attempt*> running;
  std::set<const Attempt*> abandoned;  // a part of running: their threads end when they return
  bool closing = false;
  std::size_t alive = 0;
};

Slots::Slots(std::size_t count, std::shared_ptr<StepResources> resources, std::shared_ptr<Log> log,
             std::function<void()> on_finished, std::shared_ptr<FlightRecorder> recorder)
    : count_(count), shared_(std::make_shared<Shared>()) {
  shared_->resources = std::move(resources);
  shared_->log = std::move(log);
  shared_->on_finished = std::move(on_finished);
  shared_->recorder = std::move(recorder);
  shared_->alive = count;
  for (std::size_t i = 0; i < count; ++i)
    threads_.emplace_back([shared = shared_] { serve(shared); });
}

Slots::~Slots() { close(std::chrono::milliseconds(0)); }

std::size_t Slots::close(std::chrono::milliseconds patience) {
  std::unique_lock lock(shared_->mutex);
  shared_->closing = true;
  shared_->waiting.clear();
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, patience, [&] { return shared_->alive == 0; });
  const std::size_t left = shared_->alive;
  lock.unlock();
  for (std::thread& thread : threads_)
    if (left == 0)
      thread.join();
    else
      thread.detach();
  threads_.clear();
  return left;
}

void Slots::abandon(const Attempt& attempt) {
  const std::lock_guard lock(shared_->mutex);
  // Otherwise it has just returned, or all threads end anyway.
  if (!shared_->running.contains(&attempt) || shared_->closing) return;
  if (shared_->alive >= (1 + stuck_max) * count_) {
    shared_->log->error("{} handlers ignore their stop tokens: this one's slot is lost",
                        shared_->abandoned.size());
    return;
  }
  shared_->abandoned.insert(&attempt);
  ++shared_->alive;
  threads_.emplace_back([shared = shared_] { serve(shared); });
}

void Slots::start(std::shared_ptr<Attempt> attempt) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->waiting.push_back(std::move(attempt));
  }
  shared_->changed.notify_one();
}

std::vector<std::shared_ptr<Attempt>> Slots::take_finished() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->finished, {});
}

void Slots::serve(const std::shared_ptr<Shared>& shared) {
  std::optional<FaultStack> fault_stack;
  if (shared->recorder) fault_stack.emplace();
  FlightRecorder::Seat seat(shared->recorder);
  std::unique_lock lock(shared->mutex);
  for (;;) {
    shared->changed.wait(lock, [&] { return shared->closing || !shared->waiting.empty(); });
    if (shared->closing) break;
    std::shared_ptr<Attempt> attempt = std::move(shared->waiting.front());
    shared->waiting.pop_front();
    shared->running.insert(attempt.get());
    lock.unlock();
    attempt->started.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                           std::memory_order_release);
    if (attempt->stop.cancelled()) {  // while it waited, its run ended or its worker forgot it
      attempt->result.outcome = Outcome::failed;
      attempt->result.error_code = "cancelled";
    } else {
      seat.begin(*attempt);
      attempt->result = call_step(*attempt, *shared->resources, *shared->log);
      seat.end();
    }
    attempt->ended = std::chrono::steady_clock::now();
    lock.lock();
    shared->running.erase(attempt.get());
    const bool replaced = shared->abandoned.erase(attempt.get()) > 0;
    shared->finished.push_back(std::move(attempt));
    if (!shared->closing) shared->on_finished();  // under the lock, so never after close()
    if (replaced) break;
  }
  --shared->alive;
  shared->changed.notify_all();
}

}  // namespace weir
