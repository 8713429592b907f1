#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <weir/testing/flow_runner.hpp>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "client/input_schema.hpp"
#include "run/run_state.hpp"
#include "trial/step_trial.hpp"
#include "trial/trial_flow.hpp"
#include "trial/virtual_run.hpp"

namespace weir::testing {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

std::string text_of(const Faults& faults) {
  std::string text;
  for (const Error& fault : faults) text += (text.empty() ? "" : "\n") + to_string(fault);
  return text;
}

std::size_t step_of(const std::string& flow, const std::vector<std::string>& steps,
                    std::string_view name) {
  const auto found = std::ranges::find(steps, name);
  if (found != steps.end()) return static_cast<std::size_t>(found - steps.begin());
  refuse(fmt::format("flow \"{}\" has no step {}; {}", flow, in_quotes(name),
                     did_you_mean(name, steps, fmt::format("it has {}", fmt::join(steps, ", ")))));
}

/// What a step's next attempt is to be.
struct Plan {
  Outcome outcome;
  std::string error;
};

/// Code in a step's place, at an address that a weir_step can point to.
struct StandIn {
  std::function<std::string(std::string_view)> function;
  weir_step step{};
};

std::int32_t run_stand_in(const weir_host* host, weir_call* call, weir_str input, void* user) {
  // Through the SDK's own boundary, so that what a stand-in throws counts as a handler's.
  static thread_local const StandIn* current;
  current = static_cast<const StandIn*>(user);
  return sdk::run_guarded(host, call, input,
                          [](Context&, std::string_view json, std::string& output) {
                            output = current->function(json);
                          });
}

}  // namespace

struct FlowRunner::State {
  explicit State(TrialPlugin from, std::string_view name) : plugin(std::move(from)) {
    auto found = flow_of(plugin, name);
    if (!found) refuse(to_string(found.error()));
    flow = FlowHandle(*std::move(found));
    for (const StepDefinition& step : flow->definition.steps()) {
      steps.push_back(step.slug.string());
      options.push_back(step.options);
    }
    trial.emplace(flow, [this](std::string_view level, std::string_view message) {
      logs.push_back({.level = std::string(level),
                      .message = std::string(message),
                      .step = steps[current.task.step],
                      .index = current.task.index,
                      .attempt = current.attempt});
    });
  }

  std::size_t step(std::string_view name) const {
    return step_of(flow->definition.slug().string(), steps, name);
  }
  void plan(std::string_view name, int times, const Plan& one) {
    auto& plans = planned[step(name)];
    plans.insert(plans.end(), static_cast<std::size_t>(std::max(times, 0)), one);
  }
  void stand_in(std::string_view name, StandIn code) {
    StandIn& kept = stand_ins[step(name)];
    kept = std::move(code);
    if (kept.function) kept.step = {sizeof(weir_step), 0, {}, &run_stand_in, &kept};
  }
  void override_option(std::string_view name, std::string_view option, std::int64_t value) {
    const std::size_t position = step(name);
    const auto rule = std::ranges::find(option_rules, option, &OptionRule::name);
    if (!rule->allows(value))
      refuse(fmt::format("{}: expected {}, got {}", option, rule->range(), value));
    OptionOverrides overrides;
    overrides.*rule->member = value;
    options[position] = overridden(options[position], overrides);
  }
  void check(const Json& input) const {
    const FlowDefinition& definition = flow->definition;
    if (definition.maps_over_input() && input.type() != JsonType::array)
      refuse(fmt::format("flow \"{}\" maps over its input, which is {}, not an array",
                         definition.slug().view(), described(input.type())));
    if (!definition.input_schema()) return;
    if (const auto fits = check_input(*definition.input_schema(), input); !fits)
      refuse(to_string(fits.error()));
  }

  AttemptResult execute(const RunState& run, const ReadyTask& task);

  TrialPlugin plugin;
  FlowHandle flow;
  std::vector<std::string> steps;
  std::vector<StepOptions> options;
  std::map<std::size_t, std::deque<Plan>> planned;
  std::map<std::size_t, StandIn> stand_ins;  // nodes stay where they are
  std::vector<LoggedLine> logs;
  ReadyTask current{};
  std::optional<StepTrial> trial;  // last: its resources are code of the flow's
};

AttemptResult FlowRunner::State::execute(const RunState& run, const ReadyTask& task) {
  current = task;
  std::optional<Plan> plan;
  if (auto& plans = planned[task.task.step]; !plans.empty()) {
    plan = std::move(plans.front());
    plans.pop_front();
    if (plan->outcome == Outcome::failed || plan->outcome == Outcome::failed_for_good)
      return {.outcome = plan->outcome, .error_code = "planned", .error = plan->error};
  }
  const auto instead = stand_ins.find(task.task.step);
  AttemptResult result =
      trial->call({.task = task.task,
                   .number = task.attempt,
                   .input = run.input_of(task.task),
                   .flow_input = run.input(),
                   .options = run.options(task.task.step),
                   .instead = instead == stand_ins.end() ? nullptr : &instead->second.step,
                   .stopped = plan && plan->outcome == Outcome::timed_out});
  if (plan && plan->outcome == Outcome::lost)
    return {.outcome = Outcome::lost, .error_code = "lost", .error = plan->error};
  return result;
}

std::vector<TriedAttempt> FinishedRun::attempts(std::string_view step) const {
  const std::string& name = steps_[step_of(flow_, steps_, step)];
  std::vector<TriedAttempt> found;
  std::ranges::copy_if(attempts_, std::back_inserter(found),
                       [&](const TriedAttempt& each) { return each.step == name; });
  return found;
}

FlowRunner::FlowRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}
FlowRunner::FlowRunner(FlowRunner&&) noexcept = default;
FlowRunner& FlowRunner::operator=(FlowRunner&&) noexcept = default;
FlowRunner::~FlowRunner() = default;

FlowRunner::FlowRunner(const weir_plugin& plugin, std::string_view flow) {
  auto linked = linked_plugin(plugin);
  if (!linked) refuse(text_of(linked.error()));
  state_ = std::make_unique<State>(*std::move(linked), flow);
}

FlowRunner FlowRunner::load(const std::filesystem::path& plugin, std::string_view flow) {
  auto loaded = loaded_plugin(plugin);
  if (!loaded) refuse(to_string(loaded.error()));
  return FlowRunner(std::make_unique<State>(*std::move(loaded), flow));
}

void FlowRunner::fail(std::string_view step, std::string_view error, int times) {
  state_->plan(step, times, {Outcome::failed, std::string(error)});
}
void FlowRunner::fail_for_good(std::string_view step, std::string_view error) {
  state_->plan(step, 1, {Outcome::failed_for_good, std::string(error)});
}
void FlowRunner::time_out(std::string_view step, int times) {
  state_->plan(step, times, {Outcome::timed_out, {}});
}
void FlowRunner::lose(std::string_view step, int times) {
  state_->plan(step, times, {Outcome::lost, "its worker vanished"});
}
void FlowRunner::mock(std::string_view step,
                      std::function<std::string(std::string_view)> stand_in) {
  state_->stand_in(step, {.function = std::move(stand_in)});
}
void FlowRunner::mock(std::string_view step, Run code) {
  state_->stand_in(step, {.function = {}, .step = {sizeof(weir_step), 0, {}, code, nullptr}});
}
void FlowRunner::timeout(std::string_view step, std::chrono::milliseconds timeout) {
  state_->override_option(step, "timeout_ms", timeout.count());
}
void FlowRunner::max_attempts(std::string_view step, int count) {
  state_->override_option(step, "max_attempts", count);
}
const std::string& FlowRunner::flow() const { return state_->flow->definition.slug().string(); }
std::vector<std::string> FlowRunner::steps() const { return state_->steps; }

FinishedRun FlowRunner::run(std::string_view input) {
  State& state = *state_;
  auto parsed = Json::parse(std::string(input));
  if (!parsed) refuse("the run's input is " + parsed.error().message);
  state.check(*parsed);
  state.logs.clear();
  VirtualEnd ended = run_virtually(
      state.flow->definition, state.options, *parsed,
      [&](const RunState& run, const ReadyTask& task) { return state.execute(run, task); });

  FinishedRun finished;
  finished.flow_ = flow();
  finished.steps_ = state.steps;
  finished.status_ = ended.end.status == RunStatus::completed ? "completed" : "failed";
  if (finished.completed()) finished.output_ = ended.end.output.text();
  finished.error_ = std::move(ended.end.error);
  finished.elapsed_ = ended.elapsed;
  finished.logs_ = std::move(state.logs);
  for (VirtualAttempt& attempt : ended.attempts) {
    JournalRow& row = attempt.row;
    finished.attempts_.push_back({.step = state.steps[row.task.step],
                                  .index = row.task.index,
                                  .number = row.attempt,
                                  .input = std::string(attempt.input.text()),
                                  .outcome = std::string(name(row.outcome)),
                                  .output = row.output ? std::string(row.output->text()) : "",
                                  .error_code = std::move(row.error_code),
                                  .error = std::move(row.error),
                                  .waited = attempt.waited,
                                  .began = row.started_at - Time{}});
  }
  return finished;
}

}  // namespace weir::testing
