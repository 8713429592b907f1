#include "worker/slots.hpp"

#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "step/fault_handler.hpp"

namespace weir {

// Shared with the threads, so that a thread whose handler never returns can be left behind.
struct Slots::Shared {
  Shared(std::size_t threads, std::function<void()> on_finished)
      : book(threads, {.on_finished = std::move(on_finished), .end = end_deferred}) {}

  SlotBook<Attempt> book;
  std::shared_ptr<Log> log;
  std::shared_ptr<FlightRecorder> recorder;
  std::shared_ptr<StepHost> host = std::make_shared<StepHost>();
};

Slots::Slots(std::size_t count, std::shared_ptr<StepResources> resources, std::shared_ptr<Log> log,
             std::function<void()> on_finished, std::shared_ptr<FlightRecorder> recorder,
             std::size_t deferred_max)
    : count_(count), shared_(std::make_shared<Shared>(count, std::move(on_finished))) {
  shared_->log = log;
  shared_->recorder = recorder;
  StepHost& host = *shared_->host;
  host.resources = std::move(resources);
  host.lines = lines_to(std::move(log));
  host.deferred_max = deferred_max;
  host.recorder = std::move(recorder);
  if (deferred_max > 0) {
    host.completed = [shared = std::weak_ptr(shared_)](std::shared_ptr<Attempt> attempt) {
      if (const auto living = shared.lock()) living->book.completed(std::move(attempt));
    };
    host.release = [shared = std::weak_ptr(shared_)](StepHost::Held held) {
      if (const auto living = shared.lock()) living->book.release(std::move(held));
    };
  }
  try {
    while (threads_.size() < count) start_thread();
  } catch (...) {  // no thread can be started: those before it end
    shared_->book.cannot_serve(count - threads_.size(), false);
    close(std::chrono::hours(1));
    throw;
  }
}

Slots::~Slots() { close(std::chrono::milliseconds(0)); }

void Slots::start_thread() {
  const std::size_t number = next_thread_++;
  threads_.emplace(number, [shared = shared_, number] { serve(shared, number); });
}

std::size_t Slots::close(std::chrono::milliseconds patience) {
  const std::size_t left = shared_->book.close(patience);
  for (auto& [number, thread] : threads_)
    if (left == 0)
      thread.join();
    else
      thread.detach();
  threads_.clear();
  return left;
}

void Slots::abandon(const Attempt& attempt) {
  shared_->book.abandon(attempt, [&](std::size_t number, const SlotBook<Attempt>::Threads& are) {
    // Nobody joins the thread of an abandoned handler: its end runs code of the plugin, the
    // destructors of its thread-local objects, for which nobody here may wait. If it was abandoned
    // before, and served again, it is detached already.
    if (const auto thread = threads_.find(number); thread != threads_.end()) {
      thread->second.detach();
      threads_.erase(thread);
    }
    std::string why = "which is the most that may";
    if (are.alive < threads_max(count_)) {
      try {
        start_thread();
        return true;
      } catch (const std::system_error& refused) {
        why = std::string("and no thread can be started: ") + refused.what();
      }
    }
    shared_->log->error(
        "{} handlers ignore their stop tokens and keep their threads, {}: {} of {} slots are lost "
        "until one of them returns",
        are.abandoned, why, are.lost, count_);
    return false;
  });
}

std::size_t Slots::lost() const { return shared_->book.lost(); }

std::size_t Slots::pending() const { return shared_->book.pending(); }

std::vector<std::shared_ptr<Attempt>> Slots::withdraw(std::size_t count, const Which& which) {
  return shared_->book.withdraw(
      [&](auto& waiting) { return withdraw_from(waiting, count, which); });
}

void Slots::start(std::vector<std::shared_ptr<Attempt>> attempts) {
  shared_->book.start(std::move(attempts));
}

std::vector<std::shared_ptr<Attempt>> Slots::take_finished() {
  return shared_->book.take_finished();
}

void Slots::serve(const std::shared_ptr<Shared>& shared, std::size_t thread) {
  std::optional<FaultStack> fault_stack;
  if (shared->recorder) fault_stack.emplace();
  std::optional<FlightRecorder::Seat> seat(std::in_place, shared->recorder);
  if (shared->recorder && !seat->is_taken()) {
    shared->log->error(
        "the flight recorder has no seat for another thread, so a slot is lost: "
        "handlers that ignore their stop tokens have them all; restart weir serve");
    seat.reset();
    return shared->book.cannot_serve(1, true);
  }
  shared->book.serve(
      thread, [&](const std::shared_ptr<Attempt>& attempt) { return run(attempt, *seat, *shared); },
      [&] { seat.reset(); });  // before another thread may be started
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
