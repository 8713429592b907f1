#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <weir/testing/flow_runner.hpp>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "definition/input_schema.hpp"
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

}  // namespace

struct FlowRunner::State {
  /// The outcome that a step's next attempt shall have.
  struct Plan {
    Outcome outcome;
    std::string error;
  };

  /// Code that replaces a step, at an address that a weir_step can point to.
  struct StandIn {
    std::function<std::string(std::string_view)> function;
    weir_step step{};
  };

  static std::int32_t run_stand_in(const weir_host* host, weir_call* call, weir_str input,
                                   void* user) {
    // Through the SDK's own boundary, so that an exception of a stand-in counts as a handler's.
    static thread_local const StandIn* current;
    current = static_cast<const StandIn*>(user);
    return sdk::run_guarded(host, call, input,
                            [](Context&, std::string_view json, std::string& output) {
                              output = current->function(json);
                            });
  }

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
  StepKind kind(std::size_t position) const { return flow->definition.steps()[position].kind; }
  void plan(std::string_view name, int times, const Plan& one) {
    const std::size_t position = step(name);
    const bool fails = one.outcome == Outcome::failed || one.outcome == Outcome::failed_for_good;
    if (!has_code(kind(position)) && (kind(position) == StepKind::wait || !fails))
      refuse(fmt::format("step \"{}\" is a {}: it does not {}", name, weir::name(kind(position)),
                         kind(position) == StepKind::wait
                             ? "fail; give it a signal, or let its time pass"
                             : "time out or get lost; its run may fail"));
    auto& plans = planned[position];
    plans.insert(plans.end(), static_cast<std::size_t>(std::max(times, 0)), one);
  }
  void stand_in(std::string_view name, StandIn code) {
    const std::size_t position = step(name);
    if (kind(position) == StepKind::wait)
      refuse(fmt::format("step \"{}\" is a wait: give it a signal instead", name));
    StandIn& kept = stand_ins[position];
    kept = std::move(code);
    if (kept.function) kept.step = {sizeof(weir_step), 0, {}, &run_stand_in, &kept};
  }
  void override_option(std::string_view name, std::string_view option, std::int64_t value) {
    const std::size_t position = step(name);
    const auto rule = std::ranges::find(option_rules, option, &OptionRule::name);
    WEIR_ASSERT(rule != option_rules.end());
    if (!rule->applies_to(kind(position)))
      refuse(fmt::format("step \"{}\" is a {}: {} does not apply to it", name,
                         weir::name(kind(position)), rule->plain_name()));
    if (!rule->allows(value))
      refuse(fmt::format("{}: expected {}, got {}", option, rule->range(), value));
    rule->set(options[position], value);
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

  void send(std::string_view name, std::string_view payload, Duration after);
  VirtualResult execute(const RunState& run, const ReadyTask& task, Duration now);
  VirtualResult run_child(const RunState& run, const ReadyTask& task);
  FlowRunner& child(std::string_view name);
  std::function<bool(const Json&)> settles(const RunState& run, const ReadyTask& task) const;
  bool commit(std::string_view settlement);
  FinishedRun run(const Json& input);

  TrialPlugin plugin;
  FlowHandle flow;
  std::vector<std::string> steps;
  std::vector<StepOptions> options;
  std::map<std::size_t, std::deque<Plan>> planned;
  std::map<std::size_t, StandIn> stand_ins;  // a map, because its elements keep their addresses
  std::map<std::size_t, VirtualSignal> signals;
  std::map<std::string, FlowRunner> children;  // by slug
  std::vector<FinishedRun> child_runs;
  std::vector<LoggedLine> logs;
  ReadyTask current{};
  Duration now{};                  // while it runs
  int depth = 0;                   // of runs within runs
  std::optional<StepTrial> trial;  // last: its resources are code of the flow
};

void FlowRunner::State::send(std::string_view name, std::string_view payload, Duration after) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const StepDefinition& step = flow->definition.steps()[i];
    if (step.kind != StepKind::wait) continue;
    names.push_back(step.signal);
    if (step.signal != name) continue;
    auto json = Json::parse(std::string(payload));
    if (!json)
      refuse(fmt::format("the payload of signal \"{}\" is {}", name, json.error().message));
    if (!signals.try_emplace(i, *std::move(json), now + trial->passed() + after).second)
      refuse(fmt::format("signal \"{}\" was sent already", name));
    return;
  }
  refuse(fmt::format(
      "flow \"{}\" waits for no signal {}; {}", flow->definition.slug().view(), in_quotes(name),
      did_you_mean(name, names,
                   names.empty() ? "it has no wait"
                                 : fmt::format("it waits for {}", fmt::join(names, ", ")))));
}

FlowRunner& FlowRunner::State::child(std::string_view name) {
  const auto found = flow_of(plugin, name);
  if (!found) refuse(to_string(found.error()));
  const std::string slug = found->definition.slug().string();
  const auto known = children.find(slug);
  if (known != children.end()) return known->second;
  return children.emplace(slug, FlowRunner(std::make_unique<State>(plugin, slug))).first->second;
}

// C8: the attempt has the outcome of the child run.
VirtualResult FlowRunner::State::run_child(const RunState& run, const ReadyTask& task) {
  constexpr int depth_max = 100;
  const StepDefinition& step = run.definition().steps()[task.task.step];
  const std::string slug = step.child->string();
  if (!flow_of(plugin, slug))
    refuse(
        fmt::format("step \"{}\" starts flow \"{}\", which this plugin does not have: mock the "
                    "step",
                    step.slug.view(), slug));
  FlowRunner& runner = child(slug);
  runner.state_->depth = depth + 1;
  if (depth == depth_max)
    refuse(fmt::format("step \"{}\" starts flow \"{}\" within {} others: does it ever end?",
                       step.slug.view(), slug, depth_max));
  const auto failed = [](std::string code, std::string error) -> AttemptResult {
    return {.outcome = Outcome::failed_for_good,
            .error_code = std::move(code),
            .error = std::move(error)};
  };
  const Json input = run.input_of(task.task);
  try {
    runner.state_->check(input);
  } catch (const std::invalid_argument& refused) {
    return {failed("invalid_input", refused.what())};
  }
  const FinishedRun& ended = child_runs.emplace_back(runner.state_->run(input));
  if (ended.completed())
    return {{.outcome = Outcome::completed, .output = Json::trusted(ended.output())},
            ended.elapsed()};
  return {failed("child_failed",
                 fmt::format("child run of flow \"{}\" failed: {}", slug, ended.error())),
          ended.elapsed()};
}

// A file's code cannot be told what the test commits. The rules for an output are those of a result.
std::function<bool(const Json&)> FlowRunner::State::settles(const RunState& run,
                                                            const ReadyTask& task) const {
  if (plugin.stage) return {};
  return [&run, &task](const Json& output) {
    const AttemptResult result{.outcome = Outcome::completed, .output = output};
    return run.make_row(task.task, task.attempt, result).outcome == Outcome::completed;
  };
}

bool FlowRunner::State::commit(std::string_view settlement) {
  return trial->commit(settlement) || std::ranges::any_of(children, [&](const auto& child) {
           return child.second.state_->commit(settlement);
         });
}

VirtualResult FlowRunner::State::execute(const RunState& run, const ReadyTask& task, Duration at) {
  current = task;
  now = at;
  const bool is_flow = kind(task.task.step) == StepKind::flow;
  std::optional<Plan> plan;
  if (auto& plans = planned[task.task.step]; !plans.empty()) {
    plan = std::move(plans.front());
    plans.pop_front();
    if (plan->outcome == Outcome::failed || plan->outcome == Outcome::failed_for_good)
      return {{.outcome = is_flow ? Outcome::failed_for_good : plan->outcome,
               .error_code = is_flow ? "child_failed" : "planned",
               .error = plan->error}};
  }
  const auto instead = stand_ins.find(task.task.step);
  if (is_flow && instead == stand_ins.end()) return run_child(run, task);
  AttemptResult result =
      trial->call({.task = task.task,
                   .number = task.attempt,
                   .input = run.input_of(task.task),
                   .flow_input = run.input(),
                   .options = run.options(task.task.step),
                   .instead = instead == stand_ins.end() ? nullptr : &instead->second.step,
                   .stopped = plan && plan->outcome == Outcome::timed_out,
                   .settles = settles(run, task)});
  if (plan && plan->outcome == Outcome::lost && !trial->settled())
    return {{.outcome = Outcome::lost, .error_code = "lost", .error = plan->error}, trial->took()};
  if (is_flow && result.outcome != Outcome::completed) result.outcome = Outcome::failed_for_good;
  return {std::move(result), trial->took()};
}

std::string FinishedRun::skipped(std::string_view step) const {
  const std::string& name = steps_[step_of(flow_, steps_, step)];
  const auto found = std::ranges::find(skipped_, name, &SkippedStep::step);
  return found == skipped_.end() ? "" : found->reason;
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
void FlowRunner::signal(std::string_view name, std::string_view payload,
                        std::chrono::microseconds after) {
  state_->send(name, payload, after);
}
bool FlowRunner::commit(std::string_view settlement) {
  if (!settlement.starts_with("select weir.settle("))
    refuse(
        fmt::format("{} is not a statement that Context::settlement gave", in_quotes(settlement)));
  return state_->commit(settlement);
}
FlowRunner& FlowRunner::child(std::string_view flow) { return state_->child(flow); }
const std::string& FlowRunner::flow() const { return state_->flow->definition.slug().string(); }
std::vector<std::string> FlowRunner::steps() const { return state_->steps; }

FinishedRun FlowRunner::run(std::string_view input) {
  auto parsed = Json::parse(std::string(input));
  if (!parsed) refuse("the run's input is " + parsed.error().message);
  state_->check(*parsed);
  return state_->run(*parsed);
}

FinishedRun FlowRunner::State::run(const Json& input) {
  logs.clear();
  child_runs.clear();
  now = {};
  VirtualEnd ended = run_virtually(flow->definition, options, input,
                                   {.execute = [&](const RunState& run, const ReadyTask& task,
                                                   Duration at) { return execute(run, task, at); },
                                    .signal = [&](std::size_t step) -> const VirtualSignal* {
                                      const auto sent = signals.find(step);
                                      return sent == signals.end() ? nullptr : &sent->second;
                                    }});
  signals.clear();
  now = {};

  FinishedRun finished;
  finished.flow_ = flow->definition.slug().string();
  finished.steps_ = steps;
  finished.status_ = ended.end.status == RunStatus::completed ? "completed" : "failed";
  if (finished.completed()) finished.output_ = ended.end.output.text();
  finished.error_ = std::move(ended.end.error);
  finished.elapsed_ = ended.elapsed;
  finished.logs_ = std::move(logs);
  finished.children_ = std::move(child_runs);
  for (const JournalRow& skip : ended.skips)
    finished.skipped_.push_back({.step = steps[skip.task.step], .reason = skip.error_code});
  for (VirtualAttempt& attempt : ended.attempts) {
    JournalRow& row = attempt.row;
    finished.attempts_.push_back({.step = steps[row.task.step],
                                  .index = row.task.index,
                                  .number = row.attempt,
                                  .input = std::string(attempt.input.text()),
                                  .outcome = std::string(weir::name(row.outcome)),
                                  .output = row.output ? std::string(row.output->text()) : "",
                                  .error_code = std::move(row.error_code),
                                  .error = std::move(row.error),
                                  .waited = attempt.waited,
                                  .began = row.started_at - Time{},
                                  .took = row.ended_at - row.started_at});
  }
  return finished;
}

}  // namespace weir::testing
