#include "worker/slots.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "step/fault_handler.hpp"

namespace weir {

// Shared with the threads, so that a thread whose handler never returns can be left behind.
struct Slots::Shared {
  std::shared_ptr<StepHost> host;
  std::shared_ptr<Log> log;
  std::function<void()> on_finished;
  std::shared_ptr<FlightRecorder> recorder;
  std::mutex mutex;
  std::condition_variable changed;  // an attempt waits, closing, or a thread ended
  std::deque<std::shared_ptr<Attempt>> waiting;
  std::vector<std::shared_ptr<Attempt>> finished;
  StepHost::Held released;  // by deferred calls, until the loop comes
  std::map<const Attempt*, std::thread::id> running;
  std::set<const Attempt*> abandoned;  // a part of running: they occupy no slot
  std::set<const Attempt*> pending;    // deferred, and their handlers have returned
  // A part of running: deferred, and completed before the slot knew that the handler has returned.
  std::set<const Attempt*> completed;
  bool closing = false;
  std::size_t alive = 0;  // threads
  std::size_t idle = 0;   // those of them that wait
  std::size_t lost = 0;   // slots without a thread: count + abandoned.size() - alive

  // With the mutex held, so never told after close(). With those before it, it was told already.
  void finish(std::shared_ptr<Attempt> attempt) {
    finished.push_back(std::move(attempt));
    if (!closing && finished.size() == 1) on_finished();
  }
};

Slots::Slots(std::size_t count, std::shared_ptr<StepResources> resources, std::shared_ptr<Log> log,
             std::function<void()> on_finished, std::shared_ptr<FlightRecorder> recorder,
             std::size_t deferred_max)
    : count_(count), shared_(std::make_shared<Shared>()) {
  shared_->host = std::make_shared<StepHost>();
  shared_->host->resources = std::move(resources);
  shared_->host->lines = lines_to(log);
  if (deferred_max > 0)
    shared_->host->completed = [shared = std::weak_ptr(shared_)](std::shared_ptr<Attempt> attempt,
                                                                 StepHost::Held held) {
      if (const auto living = shared.lock())
        completed(*living, std::move(attempt), std::move(held));
    };
  shared_->host->deferred_max = deferred_max;
  shared_->host->recorder = recorder;
  shared_->log = std::move(log);
  shared_->on_finished = std::move(on_finished);
  shared_->recorder = std::move(recorder);
  shared_->alive = count;
  try {
    for (std::size_t i = 0; i < count; ++i)
      threads_.emplace_back([shared = shared_] { serve(shared); });
  } catch (...) {  // no thread can be started: those before it end
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->alive -= count - threads_.size();
    }
    close(std::chrono::hours(1));
    throw;
  }
}

Slots::~Slots() { close(std::chrono::milliseconds(0)); }

std::size_t Slots::close(std::chrono::milliseconds patience) {
  std::unique_lock lock(shared_->mutex);
  shared_->closing = true;
  shared_->waiting.clear();
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, patience,
                            [&] { return shared_->alive == 0 && shared_->pending.empty(); });
  const std::size_t left = shared_->alive + shared_->pending.size();
  for (const Attempt* const attempt : std::exchange(shared_->pending, {})) end_deferred(*attempt);
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
  if (shared_->pending.contains(&attempt)) {
    // What completes it at this moment comes first, and waits for this lock.
    if (end_deferred(attempt)) shared_->pending.erase(&attempt);
    return;
  }
  const auto running = shared_->running.find(&attempt);
  // Otherwise it has just returned, or all threads end anyway.
  if (running == shared_->running.end() || shared_->closing) return;
  if (!shared_->abandoned.insert(&attempt).second) return;
  leave_alone(running->second);
  std::string why = "which is the most that may";
  if (shared_->alive < threads_max(count_)) {
    try {
      threads_.emplace_back([shared = shared_] { serve(shared); });
      ++shared_->alive;
      return;
    } catch (const std::system_error& refused) {
      why = std::string("and no thread can be started: ") + refused.what();
    }
  }
  ++shared_->lost;
  shared_->log->error(
      "{} handlers ignore their stop tokens and keep their threads, {}: {} of {} slots are lost "
      "until one of them returns",
      shared_->abandoned.size(), why, shared_->lost, count_);
}

// Nobody joins the thread of an abandoned handler: its end runs code of the plugin, the destructors
// of its thread-local objects, for which nobody here may wait.
void Slots::leave_alone(std::thread::id id) {
  const auto thread = std::ranges::find(threads_, id, &std::thread::get_id);
  if (thread == threads_.end()) return;  // it was abandoned before, and served again
  thread->detach();
  threads_.erase(thread);
}

std::size_t Slots::lost() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->lost;
}

std::size_t Slots::pending() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->pending.size();
}

std::vector<std::shared_ptr<Attempt>> Slots::withdraw(std::size_t count, const Which& which) {
  const std::lock_guard lock(shared_->mutex);
  return withdraw_from(shared_->waiting, count, which);
}

void Slots::start(std::vector<std::shared_ptr<Attempt>> attempts) {
  std::size_t wanted = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    wanted = std::min(attempts.size(), shared_->idle);
    std::ranges::move(attempts, std::back_inserter(shared_->waiting));
  }
  for (; wanted > 0; --wanted) shared_->changed.notify_one();
}

std::vector<std::shared_ptr<Attempt>> Slots::take_finished() {
  StepHost::Held released;  // destroyed outside the lock
  const std::lock_guard lock(shared_->mutex);
  released.swap(shared_->released);
  return std::exchange(shared_->finished, {});
}

void Slots::serve(const std::shared_ptr<Shared>& shared) {
  std::optional<FaultStack> fault_stack;
  if (shared->recorder) fault_stack.emplace();
  std::optional<FlightRecorder::Seat> seat(std::in_place, shared->recorder);
  std::unique_lock lock(shared->mutex);
  bool serves = seat->is_taken() || !shared->recorder;
  if (!serves) {
    ++shared->lost;
    shared->log->error(
        "the flight recorder has no seat for another thread, so a slot is lost: "
        "handlers that ignore their stop tokens have them all; restart weir serve");
  }
  while (serves) {
    ++shared->idle;
    shared->changed.wait(lock, [&] { return shared->closing || !shared->waiting.empty(); });
    --shared->idle;
    if (shared->closing) break;
    std::shared_ptr<Attempt> attempt = std::move(shared->waiting.front());
    shared->waiting.pop_front();
    shared->running.emplace(attempt.get(), std::this_thread::get_id());
    lock.unlock();
    const bool pends = run(attempt, *seat, *shared);
    lock.lock();
    shared->running.erase(attempt.get());
    bool is_over = false;
    if (shared->abandoned.erase(attempt.get()) > 0) {
      serves = shared->lost > 0;  // another thread has its slot, unless one is lost
      if (serves) --shared->lost;
      is_over = pends && end_deferred(*attempt);
    }
    if (is_over) continue;  // it is finished when it is completed
    if (pends && shared->completed.erase(attempt.get()) == 0)
      shared->pending.insert(attempt.get());
    else
      shared->finish(std::move(attempt));
  }
  seat.reset();  // before another thread may be started
  --shared->alive;
  shared->changed.notify_all();
}

// On a thread of a plugin.
void Slots::completed(Shared& shared, std::shared_ptr<Attempt> attempt, StepHost::Held held) {
  const std::lock_guard lock(shared.mutex);
  std::ranges::move(held, std::back_inserter(shared.released));
  if (shared.running.contains(attempt.get())) {
    shared.completed.insert(attempt.get());
    return;
  }
  shared.pending.erase(attempt.get());  // unless it was abandoned
  shared.finish(std::move(attempt));
  if (shared.closing) shared.changed.notify_all();
}

// Whether it is not finished, as its call is deferred.
bool Slots::run(const std::shared_ptr<Attempt>& attempt, FlightRecorder::Seat& seat,
                const Shared& shared) {
  attempt->started.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                         std::memory_order_release);
  if (attempt->stop.cancelled()) {  // while it waited, its run ended or its worker forgot it
    attempt->result.outcome = Outcome::failed;
    attempt->result.error_code = "cancelled";
  } else {
    seat.begin(*attempt);
    auto result = call_step(attempt, shared.host);
    seat.end();
    if (!result) return true;  // what completes it owns the result from here on
    attempt->result = *std::move(result);
  }
  attempt->ended = std::chrono::steady_clock::now();
  return false;
}

}  // namespace weir
