#include "step/step_call.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>
#include <weir/abi/settle.h>

#include "base/assert.hpp"
#include "plugin/host_extensions.hpp"
#include "step/settlement.hpp"

/// Threads: a handler may use its call from any of its threads; `mutex` guards everything it
/// writes.
struct weir_call {
  weir::Attempt& attempt;
  weir::StepResources& resources;
  weir::StepLines& lines;
  std::string attempt_text, index_text, limit_text;

  std::mutex mutex;
  int outputs = 0;
  std::size_t output_bytes = 0;
  std::string output;
  bool failed = false;
  weir::AttemptResult failure;
  std::vector<std::shared_ptr<weir::StepResource>> acquired;
  // Lists, because the plugin holds views into their elements; an empty list costs nothing.
  std::list<std::string> settlements;
  std::list<weir::Error> refused;
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

std::int32_t take_output(weir_call* call, weir_str json) {
  const std::lock_guard lock(call->mutex);
  if (++call->outputs > 1) return 1;
  call->output_bytes = json.size;
  if (json.size <= static_cast<std::size_t>(call->attempt.options.max_output_bytes))
    call->output = view(json);
  return 0;
}

std::int32_t take_failure(weir_call* call, std::int32_t kind, weir_str code, weir_str message,
                          std::uint64_t retry_after_ms) {
  const std::lock_guard lock(call->mutex);
  if (call->failed) return 1;
  call->failed = true;
  call->failure = failure(kind == WEIR_FAILED_FOR_GOOD ? Outcome::failed_for_good : Outcome::failed,
                          utf8_or_replaced(view(code)), utf8_or_replaced(view(message)));
  constexpr std::uint64_t wait_max = 365ULL * 24 * 3'600'000;
  if (retry_after_ms > 0)
    call->failure.retry_after = std::chrono::milliseconds(std::min(retry_after_ms, wait_max));
  return 0;
}

void take_log(weir_call* call, std::int32_t level, weir_str message) {
  const auto severity = level <= WEIR_LOG_DEBUG  ? LogLevel::debug
                        : level == WEIR_LOG_INFO ? LogLevel::info
                        : level == WEIR_LOG_WARN ? LogLevel::warn
                                                 : LogLevel::error;
  call->lines.line(call->attempt, severity, utf8_or_replaced(view(message)));
}

std::int32_t is_cancelled(weir_call* call) { return call->attempt.stop.cancelled() ? 1 : 0; }

weir_str look_up(weir_call* call, weir_str key) {
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

std::int32_t acquire(weir_call* call, weir_str name, const weir_maker* maker,
                     weir_acquired* acquired) {
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

void discard(weir_call* call, const void* resource) {
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

std::int32_t settlement(weir_call* call, weir_str output, weir_str* sql) {
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

struct Extension {
  std::string_view name;
  const void* functions;
};
constexpr std::array<Extension, host_extensions.size()> extensions = {
    {{.name = WEIR_RESOURCES_V1, .functions = &resources_v1},
     {.name = WEIR_SETTLE_V1, .functions = &settle_v1}}};
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

AttemptResult checked_result(weir_call& call, std::int32_t returned) {
  const std::lock_guard lock(call.mutex);
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

class LogStepLines final : public StepLines {
 public:
  explicit LogStepLines(Log& log) : log_(log) {}
  void line(const Attempt& attempt, LogLevel level, std::string_view text) override {
    const FlowDefinition& flow = attempt.flow->definition;
    log_.log(level, "run {} {}.{}: {}", attempt.run_id, flow.slug().view(),
             flow.steps()[attempt.task.step].slug.view(), text);
  }

 private:
  Log& log_;
};

}  // namespace

AttemptResult call_step(Attempt& attempt, StepResources& resources, Log& log) {
  LogStepLines lines(log);
  return call_step(attempt, resources, lines);
}

AttemptResult call_step(Attempt& attempt, StepResources& resources, StepLines& lines) {
  WEIR_ASSERT(attempt.step != nullptr && attempt.step->run != nullptr);
  weir_call call{.attempt = attempt,
                 .resources = resources,
                 .lines = lines,
                 .attempt_text = std::to_string(attempt.number),
                 .index_text = std::to_string(attempt.task.index),
                 .limit_text = std::to_string(attempt.options.max_output_bytes),
                 .mutex = {},
                 .output = {},
                 .failure = {},
                 .acquired = {},
                 .settlements = {},
                 .refused = {}};
  try {
    return checked_result(
        call, attempt.step->run(&host, &call, str(attempt.input.text()), attempt.step->user));
  } catch (const std::exception& thrown) {
    return failure(Outcome::failed, "exception", utf8_or_replaced(thrown.what()));
  } catch (...) {
    return failure(Outcome::failed, "exception",
                   "the step threw something that is not a std::exception");
  }
}

}  // namespace weir
