#include "step/step_call.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <weir/abi/async.h>
#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/abi/settle.h>
#include <weir/abi/virtual_time.h>

#include "base/assert.hpp"
#include "plugin/host_extensions.hpp"
#include "step/deferred_call.hpp"
#include "step/ended_calls.hpp"
#include "step/flight_recorder.hpp"
#include "step/library_limit.hpp"
#include "step/settlement.hpp"

/// Threads: a handler may use its call from any of its threads. `end` guards everything that changes.
struct weir_call : std::enable_shared_from_this<weir_call> {
  weir_call(std::shared_ptr<weir::Attempt> of, std::shared_ptr<const weir::StepHost> by)
      : kept_attempt(std::move(of)), host(std::move(by)) {}

  const std::shared_ptr<weir::Attempt> kept_attempt;  // these own nothing where the caller waits
  const std::shared_ptr<const weir::StepHost> host;

  weir::DeferredCall<> end;
  int outputs = 0;
  bool failed = false;
  std::size_t output_bytes = 0;
  std::string output;

  /// What few calls have, and which is made when it is needed: a call may be pending for long.
  struct More {
    weir::AttemptResult failure;
    std::string attempt_text, index_text, limit_text;
    std::vector<std::shared_ptr<weir::StepResource>> acquired;
    // Lists, because the plugin holds views into their elements.
    std::list<std::string> settlements;
    std::list<weir::Error> refused;
  };
  More& more() {
    if (!more_) more_ = std::make_unique<More>();
    return *more_;
  }
  bool has_more() const noexcept { return more_ != nullptr; }

  weir::Attempt& attempt() const noexcept { return *kept_attempt; }
  weir::StepLines& lines() const noexcept { return *host->lines; }
  weir::StepResources& resources() const noexcept { return *host->resources; }
  /// Its number among the deferred calls; 0: it is none.
  std::uint64_t deferred_as() const noexcept {
    return attempt().deferred_as.load(std::memory_order_relaxed);
  }

  // For DeferredCalls.
  std::atomic<std::size_t>& places() const noexcept { return host->deferred; }
  void note_completed() const;
  void complete(const weir::DeferredCall<>::Completion& completion);

 private:
  std::unique_ptr<More> more_;
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

/// The deferred calls of this process. Never destroyed: threads of plugins may still complete calls
/// when it exits.
DeferredCalls<weir_call>& deferred_calls() {
  static auto& calls = *new DeferredCalls<weir_call>;
  return calls;
}

/// What a plugin passed as its call: an address during `run`, or the number of a deferred call, which
/// is odd, as no address is. Null: a deferred call that is there no more.
class Named {
 public:
  explicit Named(weir_call* name) : call_(name) {
    if (!is_number(name)) return;
    kept_ = deferred_calls().find(number_of(name));
    call_ = kept_.get();
  }
  static bool is_number(const weir_call* name) {
    return reinterpret_cast<std::uintptr_t>(name) % 2 == 1;
  }
  static std::uint64_t number_of(const weir_call* name) {
    return reinterpret_cast<std::uintptr_t>(name) / 2;
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

// Of a call that is there no more: the plugin is answered, and its operator is warned.
std::int32_t used_again(const weir_call* name, std::string_view does, std::int32_t answer) {
  EndedCalls::of_process().used(Named::number_of(name), does);
  return answer;
}

std::int32_t take_output(weir_call* name, weir_str json) {
  const Named call(name);
  if (!call) return used_again(name, "gives an output", 1);
  bool taken = false;
  call->end.change([&] {
    taken = ++call->outputs == 1;
    if (!taken) return;
    call->output_bytes = json.size;
    if (json.size <= static_cast<std::size_t>(call->attempt().options.max_output_bytes))
      call->output = view(json);
  });
  return taken ? 0 : 1;
}

std::int32_t take_failure(weir_call* name, std::int32_t kind, weir_str code, weir_str message,
                          std::uint64_t retry_after_ms) {
  const Named call(name);
  if (!call) return used_again(name, "fails", 1);
  AttemptResult said =
      failure(kind == WEIR_FAILED_FOR_GOOD ? Outcome::failed_for_good : Outcome::failed,
              utf8_or_replaced(view(code)), utf8_or_replaced(view(message)));
  constexpr std::uint64_t wait_max = 365ULL * 24 * 3'600'000;
  if (retry_after_ms > 0)
    said.retry_after = std::chrono::milliseconds(std::min(retry_after_ms, wait_max));
  bool taken = false;
  call->end.change([&] {
    taken = !std::exchange(call->failed, true);
    if (taken) call->more().failure = std::move(said);
  });
  return taken ? 0 : 1;
}

void take_log(weir_call* name, std::int32_t level, weir_str message) {
  const Named call(name);
  if (!call) {
    used_again(name, "logs", 0);
    return;
  }
  const auto severity = level <= WEIR_LOG_DEBUG  ? LogLevel::debug
                        : level == WEIR_LOG_INFO ? LogLevel::info
                        : level == WEIR_LOG_WARN ? LogLevel::warn
                                                 : LogLevel::error;
  call->lines().line(call->attempt(), severity, utf8_or_replaced(view(message)));
}

std::int32_t is_cancelled(weir_call* name) {
  const Named call(name);
  return !call || call->attempt().stop.cancelled() ? 1 : 0;
}

weir_str look_up(weir_call* name_of_call, weir_str key) {
  const Named call(name_of_call);
  if (!call) return {nullptr, 0};
  const Attempt& attempt = call->attempt();
  const FlowDefinition& flow = attempt.flow->definition;
  const std::string_view name = view(key);
  const auto number = [&](std::string weir_call::More::* text, std::int64_t value) {
    return call->end.use([&] {
      std::string& kept = call->more().*text;
      if (kept.empty()) kept = std::to_string(value);
      return str(kept);
    });
  };
  if (name == "run_id") return str(attempt.run_id);
  if (name == "flow") return str(flow.slug().view());
  if (name == "step") return str(flow.steps()[attempt.task.step].slug.view());
  if (name == "attempt") return number(&weir_call::More::attempt_text, attempt.number);
  if (name == "task_index")
    return number(&weir_call::More::index_text, static_cast<std::int64_t>(attempt.task.index));
  if (name == "flow_input") return str(attempt.flow_input.text());
  if (name == "max_output_bytes")
    return number(&weir_call::More::limit_text, attempt.options.max_output_bytes);
  return {nullptr, 0};
}

std::int32_t acquire(weir_call* caller, weir_str name, const weir_maker* maker,
                     weir_acquired* acquired) {
  const Named call(caller);
  if (!call) {
    acquired->resource = nullptr;
    acquired->code = str("cancelled");
    acquired->message = str("the call is over");
    return used_again(caller, "acquires a resource", WEIR_CANCELLED);
  }
  auto resource =
      call->resources().acquire(call->attempt().flow, view(name), *maker, call->attempt().stop);
  if (resource) {
    acquired->resource = (*resource)->made();
    call->end.use([&] {
      auto& all = call->more().acquired;
      if (std::ranges::find(all, *resource) == all.end()) all.push_back(*std::move(resource));
    });
    return WEIR_OK;
  }
  const Error& refused = call->end.use([&]() -> const Error& {
    return call->more().refused.emplace_back(std::move(resource.error()));
  });
  acquired->resource = nullptr;
  acquired->code = str(refused.kind);
  acquired->message = str(refused.message);
  // Another call's start may have ended as cancelled although this call was not cancelled.
  return refused.kind == "cancelled" && call->attempt().stop.cancelled() ? WEIR_CANCELLED
                                                                         : WEIR_FAILED;
}

void discard(weir_call* name, const void* resource) {
  const Named call(name);
  if (!call) return;
  std::shared_ptr<StepResource> found;
  call->end.use([&] {
    if (!call->has_more()) return;
    for (const auto& each : call->more().acquired)
      if (each->made() == resource) found = each;
  });
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
    return used_again(name, "asks for its settlement", WEIR_CANCELLED);
  }
  auto text = settlement_text(call->attempt(), view(output));
  const bool valid = text.has_value();
  const std::string& kept = call->end.use([&]() -> const std::string& {
    return call->more().settlements.emplace_back(valid ? *std::move(text) : text.error().message);
  });
  *sql = str(kept);
  if (!valid) return WEIR_FAILED_FOR_GOOD;
  if (!call->attempt().gate.take()) return WEIR_CANCELLED;
  call->lines().settlement(call->attempt(), kept, view(output));
  return WEIR_OK;
}

constexpr weir_settle settle_v1 = {
    .struct_size = sizeof(weir_settle), .reserved = 0, .settlement = settlement};

// Of a call that this thread has closed.
AttemptResult checked_result(weir_call& call, std::int32_t returned) {
  if (call.failed) return call.end.use([&] { return std::move(call.more().failure); });
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
  const auto limit = static_cast<std::size_t>(call.attempt().options.max_output_bytes);
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
  if (!call.host->completed) return nullptr;
  const std::uint64_t number = call.end.defer([&]() -> std::uint64_t {
    if (!take_place(call.places(), call.host->deferred_max)) return 0;
    const std::uint64_t added = deferred_calls().add(call.shared_from_this());
    call.attempt().deferred_as.store(added, std::memory_order_relaxed);
    return added;
  });
  return number == 0 ? nullptr : Named::name_of(number);
}

std::int32_t complete(weir_call* name, std::int32_t result) {
  if (!Named::is_number(name)) return WEIR_CANCELLED;
  const Named call(name);
  if (!call) return used_again(name, "completes", WEIR_CANCELLED);
  switch (deferred_calls().complete(Named::number_of(name), result)) {
    case Completed::in_time:
      return WEIR_OK;
    case Completed::too_late:
      break;
    case Completed::before:  // by another thread, at this moment
      call->lines().line(call->attempt(), LogLevel::warn,
                         "it completes its deferred call twice at once");
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

// What was entered and not left while it lives is left then.
struct LeavesAll {
  std::size_t depth = Work::of_this_thread().entered.size();
  ~LeavesAll() {
    Work& work = Work::of_this_thread();
    while (work.entered.size() > depth) work.leave();
  }
};

// Tells the plugin that the work of its call should stop, on a thread that others need.
void tell_to_stop(weir_call* name, void (*stopped)(void*), void* user) {
  const Named call(name);
  if (!call) return;
  const LeavesAll leaves_all;
  Work::of_this_thread().enter(call.kept());
  LibraryLimit limit;
  if (call->host->recorder) limit.begin();
  try {
    stopped(user);
  } catch (...) {
    call->lines().line(call->attempt(), LogLevel::error,
                       "what it has called when it stops has thrown");
  }
  if (call->host->recorder) limit.end();
}

std::int32_t on_stop(weir_call* name, void (*stopped)(void*), void* user) {
  if (!Named::is_number(name)) return WEIR_CANCELLED;
  const Named call(name);
  if (!call) return WEIR_CANCELLED;
  std::shared_ptr<Cancellation<>::Callback> callback;
  if (stopped != nullptr)
    callback = std::make_shared<Cancellation<>::Callback>(
        call->attempt().stop, [name, stopped, user] { tell_to_stop(name, stopped, user); },
        Cancellation<>::Callback::Unarmed{});
  return call->end.on_stop(callback) ? WEIR_OK : WEIR_CANCELLED;
}

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

std::int32_t pass(weir_call* name, std::uint64_t nanoseconds) {
  constexpr std::uint64_t longest = std::chrono::nanoseconds::max().count();
  const Named call(name);
  if (!call) return WEIR_CANCELLED;
  const std::chrono::nanoseconds duration(std::min(nanoseconds, longest));
  return call->host->pass_time(duration) ? WEIR_OK : WEIR_CANCELLED;
}

constexpr weir_virtual_time virtual_time_v1 = {
    .struct_size = sizeof(weir_virtual_time), .reserved = 0, .pass = pass};

const void* extension_in_virtual_time(const weir_host* of, weir_str id) {
  return view(id) == WEIR_VIRTUAL_TIME_V1 ? &virtual_time_v1 : extension(of, id);
}

constexpr weir_host host_with(decltype(weir_host::extension) look_up_extension) {
  return {.struct_size = sizeof(weir_host),
          .abi_major = WEIR_ABI_MAJOR,
          .abi_minor = WEIR_ABI_MINOR,
          .output = take_output,
          .fail = take_failure,
          .log = take_log,
          .cancelled = is_cancelled,
          .get = look_up,
          .extension = look_up_extension};
}
constexpr weir_host real_host = host_with(extension);
constexpr weir_host virtual_host = host_with(extension_in_virtual_time);

class LogStepLines final : public StepLines {
 public:
  explicit LogStepLines(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void line(const Attempt& attempt, LogLevel level, std::string_view text) override {
    const FlowDefinition& flow = attempt.flow->definition;
    log_->log(level, "run {} {}.{}: {}", attempt.run_id, flow.slug().view(),
              flow.steps()[attempt.task.step].slug.view(), text);
  }
  void warning(std::string_view text) override { log_->warn("{}", text); }

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
  const bool pends = returned == WEIR_PENDING;
  if (pends && call.deferred_as() != 0)
    call.attempt().deferred.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                                  std::memory_order_release);
  const auto end = call.end.returned(returned, pends);
  switch (end.how) {
    using enum DeferredCall<>::Returned::How;
    case pending:
      return std::nullopt;
    case not_pending:
      return failure(Outcome::failed, "bad_return",
                     fmt::format("the step deferred its call and then returned {}, not that it is "
                                 "pending",
                                 returned));
    case at_once:
    case completed:
      break;
  }
  return checked_result(call, end.result);
}

std::optional<AttemptResult> call_handler(weir_call& call) {
  const weir_step& step = *call.attempt().step;
  WEIR_ASSERT(call.attempt().step != nullptr && step.run != nullptr);
  const auto thrown = [&](std::string what) {
    call.end.end();
    return failure(Outcome::failed, "exception", std::move(what));
  };
  const LeavesAll leaves_all;
  try {
    const weir_host& host = call.host->pass_time ? virtual_host : real_host;
    return result_of(call, step.run(&host, &call, str(call.attempt().input.text()), step.user));
  } catch (const std::exception& exception) {
    return thrown(utf8_or_replaced(exception.what()));
  } catch (...) {
    return thrown("the step threw something that is not a std::exception");
  }
}

}  // namespace
}  // namespace weir

// What it acquired is released elsewhere, also when the handler is still about to return.
void weir_call::complete(const weir::DeferredCall<>::Completion& completion) {
  using namespace weir;
  if (completion.finishes) {
    attempt().result =
        completion.counts ? checked_result(*this, completion.result) : AttemptResult();
    attempt().ended = std::chrono::steady_clock::now();
  }
  StepHost::Held held;
  end.use([&] {
    if (!has_more()) return;
    held.assign(more().acquired.begin(), more().acquired.end());
    more().acquired.clear();
  });
  if (!held.empty()) host->release(std::move(held));
  if (completion.finishes) host->completed(kept_attempt);
  if (!completion.finishes && !completion.counts)
    lines().line(attempt(), LogLevel::warn, "it completes its deferred call too late");
}

void weir_call::note_completed() const {
  weir::EndedCalls::of_process().add(deferred_as(), attempt(), host->lines);
}

namespace weir {

std::shared_ptr<StepLines> lines_to(std::shared_ptr<Log> log) {
  return std::make_shared<LogStepLines>(std::move(log));
}

AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log) {
  LogStepLines lines(borrowed(log));
  return call_step(attempt, resources, lines);
}

AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines,
                        StepHost::PassTime pass_time) {
  const StepHost waiting{.resources = borrowed(resources),
                         .lines = borrowed(lines),
                         .pass_time = std::move(pass_time)};
  weir_call call(borrowed(attempt), borrowed(waiting));
  return *call_handler(call);
}

std::optional<AttemptResult> call_step(const std::shared_ptr<Attempt>& attempt,
                                       const std::shared_ptr<const StepHost>& by) {
  return call_handler(*std::make_shared<weir_call>(attempt, by));
}

std::map<std::string, std::size_t> pending_by_plugin() {
  std::map<std::string, std::size_t> counts;
  auto last = counts.end();  // most are of one plugin
  deferred_calls().for_each([&](const weir_call& call) {
    const std::string& sha256 = call.attempt().flow->file.sha256;
    if (last == counts.end() || last->first != sha256) last = counts.try_emplace(sha256).first;
    ++last->second;
  });
  return counts;
}

void give_back(weir_call* deferred) {
  const Named call(deferred);
  if (!call) return;
  call->end.change([&] { call->attempt().given_back = true; });
  complete(deferred, WEIR_CANCELLED);
}

bool end_deferred(const Attempt& attempt) {
  const auto call = deferred_calls().end(attempt.deferred_as.load(std::memory_order_relaxed));
  if (call == nullptr) return false;
  call->output = {};
  return true;
}

}  // namespace weir
