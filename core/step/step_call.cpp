#include "step/step_call.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <weir/abi/async.h>
#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/abi/settle.h>

#include "base/assert.hpp"
#include "plugin/host_extensions.hpp"
#include "step/flight_recorder.hpp"
#include "step/settlement.hpp"

/// Threads: a handler may use its call from any of its threads; `mutex` guards everything that
/// changes.
///
/// Invariants:
/// - The attempt of a deferred call gets its result once: from call_step() when `run` returned after
///   complete(), else from complete(), unless the attempt was over before.
/// - A deferred call is among DeferredCalls until it is completed, whatever `run` returns.
struct weir_call : std::enable_shared_from_this<weir_call> {
  weir_call(std::shared_ptr<weir::Attempt> of, std::shared_ptr<const weir::StepHost> by)
      : kept_attempt(std::move(of)), host(std::move(by)) {}

  const std::shared_ptr<weir::Attempt> kept_attempt;  // these own nothing where the caller waits
  const std::shared_ptr<const weir::StepHost> host;
  weir::Attempt& attempt = *kept_attempt;
  weir::StepResources& resources = *host->resources;
  weir::StepLines& lines = *host->lines;
  std::string attempt_text = std::to_string(attempt.number);
  std::string index_text = std::to_string(attempt.task.index);
  std::string limit_text = std::to_string(attempt.options.max_output_bytes);

  std::mutex mutex;
  bool has_returned = false;  // `run` has, and the call is pending
  bool is_over = false;       // nothing that comes counts any more
  std::optional<std::int32_t> completed_with = {};
  std::shared_ptr<weir::Cancellation<>::Callback> on_stop = {};
  int outputs = 0;
  std::size_t output_bytes = 0;
  std::string output;
  bool failed = false;
  weir::AttemptResult failure;
  std::vector<std::shared_ptr<weir::StepResource>> acquired;
  // Lists, because the plugin holds views into their elements; an empty list costs nothing.
  std::list<std::string> settlements;
  std::list<weir::Error> refused;

  /// Its number among the deferred calls; 0: it is none.
  std::uint64_t deferred_as() const noexcept {
    return attempt.deferred_as.load(std::memory_order_relaxed);
  }
  bool is_closed() const noexcept { return is_over || completed_with.has_value(); }
};

namespace weir {
namespace {

std::string_view view(weir_str text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}
weir_str str(std::string_view text) { return {text.data(), text.size()}; }

AttemptResult failure(Outcome outcome, std::string code, std::string message) {
  return {.outcome = outcome, .error_code = std::move(code), .error = std::move(message)};
}

AttemptResult refused(std::string code, std::string message) {
  return failure(Outcome::failed_for_good, std::move(code), std::move(message));
}

/// The calls that were deferred, by number. Never destroyed: threads of plugins may still complete
/// calls when the process exits.
class DeferredCalls {
 public:
  static DeferredCalls& all() {
    static DeferredCalls& calls = *new DeferredCalls;
    return calls;
  }

  std::uint64_t add(std::shared_ptr<weir_call> call) {
    const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
    Part& part = part_of(number);
    const std::lock_guard lock(part.mutex);
    part.calls.emplace(number, std::move(call));
    return number;
  }
  std::shared_ptr<weir_call> find(std::uint64_t number) {
    Part& part = part_of(number);
    const std::lock_guard lock(part.mutex);
    const auto found = part.calls.find(number);
    return found == part.calls.end() ? nullptr : found->second;
  }
  void remove(std::uint64_t number) {
    std::shared_ptr<weir_call> gone;  // destroyed outside the lock
    Part& part = part_of(number);
    const std::lock_guard lock(part.mutex);
    if (const auto found = part.calls.find(number); found != part.calls.end()) {
      gone = std::move(found->second);
      part.calls.erase(found);
    }
  }

 private:
  struct Part {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::shared_ptr<weir_call>> calls;
  };
  Part& part_of(std::uint64_t number) { return parts_[number % parts_.size()]; }

  std::atomic<std::uint64_t> next_ = 1;  // relaxed: only a number
  std::array<Part, 16> parts_;
};

/// What a plugin passed as its call: an address during `run`, or the number of a deferred call, which
/// is odd, as no address is. Null: a deferred call that is there no more.
class Named {
 public:
  explicit Named(weir_call* name) : call_(name) {
    if (!is_number(name)) return;
    kept_ = DeferredCalls::all().find(reinterpret_cast<std::uintptr_t>(name) / 2);
    call_ = kept_.get();
  }
  static bool is_number(const weir_call* name) {
    return reinterpret_cast<std::uintptr_t>(name) % 2 == 1;
  }
  static weir_call* name_of(std::uint64_t number) {
    return reinterpret_cast<weir_call*>(static_cast<std::uintptr_t>(2 * number + 1));
  }
  explicit operator bool() const noexcept { return call_ != nullptr; }
  weir_call* operator->() const noexcept { return call_; }
  const std::shared_ptr<weir_call>& kept() const noexcept { return kept_; }
  weir_call& operator*() const noexcept { return *call_; }

 private:
  std::shared_ptr<weir_call> kept_;
  weir_call* call_;
};

std::int32_t take_output(weir_call* name, weir_str json) {
  const Named call(name);
  if (!call) return 1;
  const std::lock_guard lock(call->mutex);
  if (call->is_closed() || ++call->outputs > 1) return 1;
  call->output_bytes = json.size;
  if (json.size <= static_cast<std::size_t>(call->attempt.options.max_output_bytes))
    call->output = view(json);
  return 0;
}

std::int32_t take_failure(weir_call* name, std::int32_t kind, weir_str code, weir_str message,
                          std::uint64_t retry_after_ms) {
  const Named call(name);
  if (!call) return 1;
  const std::lock_guard lock(call->mutex);
  if (call->is_closed() || call->failed) return 1;
  call->failed = true;
  call->failure = failure(kind == WEIR_FAILED_FOR_GOOD ? Outcome::failed_for_good : Outcome::failed,
                          utf8_or_replaced(view(code)), utf8_or_replaced(view(message)));
  constexpr std::uint64_t wait_max = 365ULL * 24 * 3'600'000;
  if (retry_after_ms > 0)
    call->failure.retry_after = std::chrono::milliseconds(std::min(retry_after_ms, wait_max));
  return 0;
}

void take_log(weir_call* name, std::int32_t level, weir_str message) {
  const Named call(name);
  if (!call) return;
  const auto severity = level <= WEIR_LOG_DEBUG  ? LogLevel::debug
                        : level == WEIR_LOG_INFO ? LogLevel::info
                        : level == WEIR_LOG_WARN ? LogLevel::warn
                                                 : LogLevel::error;
  call->lines.line(call->attempt, severity, utf8_or_replaced(view(message)));
}

std::int32_t is_cancelled(weir_call* name) {
  const Named call(name);
  return !call || call->attempt.stop.cancelled() ? 1 : 0;
}

weir_str look_up(weir_call* name_of_call, weir_str key) {
  const Named call(name_of_call);
  if (!call) return {nullptr, 0};
  const FlowDefinition& flow = call->attempt.flow->definition;
  const std::string_view name = view(key);
  if (name == "run_id") return str(call->attempt.run_id);
  if (name == "flow") return str(flow.slug().view());
  if (name == "step") return str(flow.steps()[call->attempt.task.step].slug.view());
  if (name == "attempt") return str(call->attempt_text);
  if (name == "task_index") return str(call->index_text);
  if (name == "flow_input") return str(call->attempt.flow_input.text());
  if (name == "max_output_bytes") return str(call->limit_text);
  return {nullptr, 0};
}

std::int32_t acquire(weir_call* caller, weir_str name, const weir_maker* maker,
                     weir_acquired* acquired) {
  const Named call(caller);
  if (!call) {
    acquired->resource = nullptr;
    acquired->code = str("cancelled");
    acquired->message = str("the call is over");
    return WEIR_CANCELLED;
  }
  auto resource =
      call->resources.acquire(call->attempt.flow, view(name), *maker, call->attempt.stop);
  const std::lock_guard lock(call->mutex);
  if (resource) {
    acquired->resource = (*resource)->made();
    if (std::ranges::find(call->acquired, *resource) == call->acquired.end())
      call->acquired.push_back(*std::move(resource));
    return WEIR_OK;
  }
  const Error& refused = call->refused.emplace_back(std::move(resource.error()));
  acquired->resource = nullptr;
  acquired->code = str(refused.kind);
  acquired->message = str(refused.message);
  // Another call's start may have ended as cancelled although this call was not cancelled.
  return refused.kind == "cancelled" && call->attempt.stop.cancelled() ? WEIR_CANCELLED
                                                                       : WEIR_FAILED;
}

void discard(weir_call* name, const void* resource) {
  const Named call(name);
  if (!call) return;
  std::shared_ptr<StepResource> found;
  {
    const std::lock_guard lock(call->mutex);
    for (const auto& each : call->acquired)
      if (each->made() == resource) found = each;
  }
  if (found) found->discard();
}

constexpr weir_resources resources_v1 = {.struct_size = sizeof(weir_resources),
                                         .reserved = 0,
                                         .acquire = acquire,
                                         .refuse = StepResources::refuse,
                                         .discard = discard};

std::int32_t settlement(weir_call* name, weir_str output, weir_str* sql) {
  const Named call(name);
  if (!call) {
    *sql = str("the call is over");
    return WEIR_CANCELLED;
  }
  auto text = settlement_text(call->attempt, view(output));
  const std::lock_guard lock(call->mutex);
  const bool valid = text.has_value();
  *sql = str(call->settlements.emplace_back(valid ? *std::move(text) : text.error().message));
  if (!valid) return WEIR_FAILED_FOR_GOOD;
  if (!call->attempt.gate.take()) return WEIR_CANCELLED;
  call->lines.settlement(call->attempt, call->settlements.back(), view(output));
  return WEIR_OK;
}

constexpr weir_settle settle_v1 = {
    .struct_size = sizeof(weir_settle), .reserved = 0, .settlement = settlement};

// With call.mutex held. What comes later does not count.
AttemptResult checked_result(weir_call& call, std::int32_t returned) {
  call.is_over = true;
  if (call.failed) return std::move(call.failure);
  switch (returned) {
    case WEIR_OK:
      break;
    case WEIR_FAILED:
      return failure(Outcome::failed, "failed", "the step failed without saying why");
    case WEIR_FAILED_FOR_GOOD:
      return refused("failed", "the step failed for good without saying why");
    case WEIR_CANCELLED:
      return failure(Outcome::failed, "cancelled", "the step stopped as if it had been cancelled");
    default:
      return failure(
          Outcome::failed, "bad_return",
          fmt::format("the step returned {}, which the plugin ABI does not define", returned));
  }
  if (call.outputs == 0) return refused("no_output", "the step returned no output");
  if (call.outputs > 1)
    return refused("two_outputs", fmt::format("the step returned {} outputs", call.outputs));
  const auto limit = static_cast<std::size_t>(call.attempt.options.max_output_bytes);
  if (call.output_bytes > limit)
    return refused("output_too_large",
                   fmt::format("the output has {} bytes, more than max_output allows: {}",
                               call.output_bytes, limit));
  auto output = Json::parse(std::move(call.output));
  if (!output) return refused("bad_output", "the output is " + output.error().message);
  return {.outcome = Outcome::completed, .output = *std::move(output)};
}

weir_call* defer(weir_call* name) {
  if (Named::is_number(name)) return nullptr;
  weir_call& call = *name;
  const std::lock_guard lock(call.mutex);
  const StepHost& host = *call.host;
  if (call.deferred_as() != 0 || !host.completed) return nullptr;
  if (host.deferred.fetch_add(1, std::memory_order_relaxed) >= host.deferred_max) {
    host.deferred.fetch_sub(1, std::memory_order_relaxed);
    return nullptr;
  }
  const std::uint64_t number = DeferredCalls::all().add(call.shared_from_this());
  call.attempt.deferred_as.store(number, std::memory_order_relaxed);
  return Named::name_of(number);
}

// Of a deferred call, once nothing names it any more: by its plugin, which says no more.
void forget(const weir_call& call) {
  DeferredCalls::all().remove(call.deferred_as());
  call.host->deferred.fetch_sub(1, std::memory_order_relaxed);
}

std::int32_t complete(weir_call* name, std::int32_t result) {
  if (!Named::is_number(name)) return WEIR_CANCELLED;
  const Named call(name);
  if (!call) return WEIR_CANCELLED;  // it was completed before
  std::shared_ptr<Cancellation<>::Callback> on_stop;
  StepHost::Held held;
  Attempt& attempt = call->attempt;
  bool counts = false, finishes = false;
  {
    const std::lock_guard lock(call->mutex);
    if (call->completed_with) return WEIR_CANCELLED;  // by another thread, at this moment
    call->completed_with = result;
    on_stop = std::move(call->on_stop);
    counts = !call->is_over;
    finishes = call->has_returned;
    if (finishes) {
      attempt.result = counts ? checked_result(*call, result) : AttemptResult();
      attempt.ended = std::chrono::steady_clock::now();
      held.assign(call->acquired.begin(), call->acquired.end());
      call->acquired.clear();
    }
  }
  on_stop.reset();  // it does not run any more
  forget(*call);
  if (finishes) call->host->completed(call->kept_attempt, std::move(held));
  return counts ? WEIR_OK : WEIR_CANCELLED;
}

std::int32_t on_stop(weir_call* name, void (*stopped)(void*), void* user) {
  if (!Named::is_number(name)) return WEIR_CANCELLED;
  const Named call(name);
  if (!call) return WEIR_CANCELLED;
  // Before the lock: it may call `stopped` at once, which may complete the call.
  std::shared_ptr<Cancellation<>::Callback> next;
  if (stopped != nullptr)
    next = std::make_shared<Cancellation<>::Callback>(call->attempt.stop,
                                                      [stopped, user] { stopped(user); });
  {
    const std::lock_guard lock(call->mutex);
    if (!call->is_closed()) {
      std::swap(call->on_stop, next);
      return WEIR_OK;  // the one before ends behind the lock
    }
  }
  return WEIR_CANCELLED;
}

/// The deferred calls that this thread works for, and its seat in the flight recorder, if it has none
/// from elsewhere.
struct Work {
  struct Entered {
    std::shared_ptr<weir_call> call;
    const Attempt* before = nullptr;  // what the seat had; the host of this thread keeps it
  };
  std::vector<Entered> entered;
  std::optional<FlightRecorder::Seat> own_seat;

  static Work& of_this_thread() {
    thread_local Work work;
    return work;
  }

  static void record(FlightRecorder::Seat& seat, const Attempt* attempt) {
    if (seat.attempt() != nullptr) seat.end();
    if (attempt != nullptr) seat.begin(*attempt);
  }

  void enter(std::shared_ptr<weir_call> call) {
    FlightRecorder::Seat* seat = FlightRecorder::Seat::of_this_thread();
    if (seat == nullptr && call->host->recorder) {
      own_seat.emplace(call->host->recorder);
      seat = FlightRecorder::Seat::of_this_thread();
    }
    const Attempt* const before = seat != nullptr ? seat->attempt() : nullptr;
    if (seat != nullptr) record(*seat, call->kept_attempt.get());
    entered.push_back({std::move(call), before});
  }

  void leave() {
    const Entered last = std::move(entered.back());
    entered.pop_back();
    if (FlightRecorder::Seat* const seat = FlightRecorder::Seat::of_this_thread())
      record(*seat, last.before);
  }
};

void enter(weir_call* name) {
  if (!Named::is_number(name)) return;
  if (auto call = Named(name).kept()) Work::of_this_thread().enter(std::move(call));
}

// Also when the call is over.
void leave(weir_call* name) {
  Work& work = Work::of_this_thread();
  if (!work.entered.empty() && Named::name_of(work.entered.back().call->deferred_as()) == name)
    work.leave();
}

constexpr weir_async async_v1 = {.struct_size = sizeof(weir_async),
                                 .reserved = 0,
                                 .defer = defer,
                                 .complete = complete,
                                 .on_stop = on_stop,
                                 .enter = enter,
                                 .leave = leave};

struct Extension {
  std::string_view name;
  const void* functions;
};
constexpr std::array<Extension, host_extensions.size()> extensions = {
    {{.name = WEIR_RESOURCES_V1, .functions = &resources_v1},
     {.name = WEIR_SETTLE_V1, .functions = &settle_v1},
     {.name = WEIR_ASYNC_V1, .functions = &async_v1}}};
static_assert(std::ranges::equal(extensions, host_extensions, {}, &Extension::name));

const void* extension(const weir_host*, weir_str id) {
  for (const Extension& each : extensions)
    if (each.name == view(id)) return each.functions;
  return nullptr;
}

constexpr weir_host host = {.struct_size = sizeof(weir_host),
                            .abi_major = WEIR_ABI_MAJOR,
                            .abi_minor = WEIR_ABI_MINOR,
                            .output = take_output,
                            .fail = take_failure,
                            .log = take_log,
                            .cancelled = is_cancelled,
                            .get = look_up,
                            .extension = extension};

class LogStepLines final : public StepLines {
 public:
  explicit LogStepLines(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void line(const Attempt& attempt, LogLevel level, std::string_view text) override {
    const FlowDefinition& flow = attempt.flow->definition;
    log_->log(level, "run {} {}.{}: {}", attempt.run_id, flow.slug().view(),
              flow.steps()[attempt.task.step].slug.view(), text);
  }

 private:
  std::shared_ptr<Log> log_;
};

// For a caller that outlives the use.
template <class T>
std::shared_ptr<T> borrowed(T& object) {
  return {std::shared_ptr<void>(), &object};
}

// The result if `run` has returned it; nullopt: the call is pending.
std::optional<AttemptResult> result_of(weir_call& call, std::int32_t returned) {
  const std::lock_guard lock(call.mutex);
  if (call.deferred_as() == 0) return checked_result(call, returned);
  if (returned == WEIR_PENDING && !call.completed_with) {
    call.attempt.deferred.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                                std::memory_order_release);
    call.has_returned = true;
    return std::nullopt;
  }
  if (returned == WEIR_PENDING) return checked_result(call, *call.completed_with);
  call.is_over = true;
  return failure(Outcome::failed, "bad_return",
                 fmt::format("the step deferred its call and then returned {}, not that it is "
                             "pending",
                             returned));
}

std::optional<AttemptResult> call_handler(weir_call& call) {
  const weir_step& step = *call.attempt.step;
  WEIR_ASSERT(call.attempt.step != nullptr && step.run != nullptr);
  const auto thrown = [&](std::string what) {
    const std::lock_guard lock(call.mutex);
    call.is_over = true;
    return failure(Outcome::failed, "exception", std::move(what));
  };
  // What the handler entered and did not leave it leaves now.
  struct LeavesAll {
    std::size_t depth = Work::of_this_thread().entered.size();
    ~LeavesAll() {
      Work& work = Work::of_this_thread();
      while (work.entered.size() > depth) work.leave();
    }
  } const leaves_all;
  try {
    return result_of(call, step.run(&host, &call, str(call.attempt.input.text()), step.user));
  } catch (const std::exception& exception) {
    return thrown(utf8_or_replaced(exception.what()));
  } catch (...) {
    return thrown("the step threw something that is not a std::exception");
  }
}

}  // namespace

std::shared_ptr<StepLines> lines_to(std::shared_ptr<Log> log) {
  return std::make_shared<LogStepLines>(std::move(log));
}

AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log) {
  LogStepLines lines(borrowed(log));
  return call_step(attempt, resources, lines);
}

AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines) {
  const StepHost waiting{.resources = borrowed(resources), .lines = borrowed(lines)};
  weir_call call(borrowed(attempt), borrowed(waiting));
  return *call_handler(call);
}

std::optional<AttemptResult> call_step(const std::shared_ptr<Attempt>& attempt,
                                       const std::shared_ptr<const StepHost>& by) {
  return call_handler(*std::make_shared<weir_call>(attempt, by));
}

bool end_deferred(const Attempt& attempt) {
  const auto call = DeferredCalls::all().find(attempt.deferred_as.load(std::memory_order_relaxed));
  if (call == nullptr) return false;
  const std::lock_guard lock(call->mutex);
  if (call->is_closed()) return false;
  call->is_over = true;
  call->output = {};
  return true;
}

}  // namespace weir
