/// The search for a schedule that fails. Public are explore(), repeat() and the types that they
/// take and return.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <weir/testing/lockstep/scheduler.hpp>
#include <weir/testing/lockstep/shrink.hpp>

namespace weir::lockstep {

enum class StrategyKind {
  random,       ///< a random walk
  pct,          ///< random priorities with few changes: best for bugs that need few orderings
  pos,          ///< random priorities for operations: best for bugs between many
  depth_first,  ///< all schedules up to a number of preemptions
};

inline std::string_view name(StrategyKind kind) noexcept {
  constexpr std::array<std::string_view, 4> names = {"random", "pct", "pos", "depth_first"};
  return names[static_cast<std::size_t>(kind)];
}

struct Options {
  using Strategy = StrategyKind;
  StrategyKind strategy = StrategyKind::random;
  std::uint64_t seed = 1;           ///< of the first schedule; the next ones count up from it
  std::size_t schedules = 10'000;   ///< the most that are run
  std::size_t preemptions = 2;      ///< for depth_first
  std::size_t depth = 3;            ///< for pct: how many orderings a bug needs
  std::size_t steps_expected = 64;  ///< for pct: the steps that the changes are spread over
  std::size_t steps_max = 20'000;   ///< a schedule with more has failed: livelock
  std::size_t spurious = 2;         ///< the most of what fails or wakes without a reason, in each
  bool weak_memory = false;  ///< loads may give old values, as far as orders and fences allow
  bool shrink = true;        ///< look for the failure with the fewest switches
};

struct Failure {
  std::string message = {};
  std::string token = {};   ///< for repeat(): the strategy and its seed
  std::uint64_t seed = 0;   ///< of the numbers that Sync::random() gave
  std::size_t number = 0;   ///< of the schedule, counted from 1
  Schedule schedule = {};   ///< as it failed
  Schedule shortest = {};   ///< with the fewest switches that were found to fail the same way
  Trace trace = {};         ///< of `shortest`
  bool repeatable = false;  ///< whether `schedule`, repeated, failed with the same message
};

/// The result of an exploration.
struct Report {
  std::size_t schedules = 0;  ///< that were run
  std::uint64_t steps = 0;    ///< in all of them
  bool exhausted = false;     ///< depth_first tried every schedule within its bound
  std::optional<Failure> failure = {};
};

namespace detail {

/// What determines one schedule: written in a token as random:SEED, pos:SEED, pct:SEED:DEPTH:STEPS
/// or steps:SEED:SCHEDULE. The seed is also that of the numbers that the body draws.
struct Token {
  StrategyKind strategy = StrategyKind::random;
  std::uint64_t seed = 0;
  std::size_t depth = 0;
  std::size_t steps = 0;
  std::optional<Schedule> schedule = {};
};

inline std::string to_string(const Token& token) {
  if (token.schedule)
    return "steps:" + std::to_string(token.seed) + ':' + lockstep::to_string(*token.schedule);
  std::string text = std::string(name(token.strategy)) + ':' + std::to_string(token.seed);
  if (token.strategy == StrategyKind::pct)
    text += ':' + std::to_string(token.depth) + ':' + std::to_string(token.steps);
  return text;
}

}  // namespace detail

/// A failure for people: what happened, how to repeat it, and the shortest interleaving.
inline std::string to_string(const Report& report) {
  if (!report.failure)
    return std::to_string(report.schedules) + " schedules, no failure" +
           (report.exhausted ? ", none left" : "");
  const Failure& failure = *report.failure;
  return failure.message + "\n  in schedule " + std::to_string(failure.number) +
         ", repeat it with " + failure.token + "\n  with " +
         std::to_string(switches(failure.shortest)) + " switches (" +
         std::to_string(switches(failure.schedule)) + " as found), repeat it with " +
         detail::to_string(detail::Token{.seed = failure.seed, .schedule = failure.shortest}) +
         (failure.repeatable ? ""
                             : "\n  but a repetition went otherwise: the body depends on "
                               "something outside the schedule") +
         '\n' + to_string(failure.trace);
}

namespace detail {

inline std::optional<Token> parse_token(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view kind = text.substr(0, colon);
  text.remove_prefix(colon);
  const auto number = [&text](auto& value) {
    if (!text.starts_with(':')) return false;
    text.remove_prefix(1);
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
    return end.ec == std::errc();
  };
  Token token;
  if (!number(token.seed)) return std::nullopt;
  if (kind == "steps") {
    if (!text.starts_with(':')) return std::nullopt;
    token.schedule = parse_schedule(text.substr(1));
    if (!token.schedule) return std::nullopt;
    return token;
  }
  if (kind == "random")
    token.strategy = StrategyKind::random;
  else if (kind == "pos")
    token.strategy = StrategyKind::pos;
  else if (kind == "pct")
    token.strategy = StrategyKind::pct;
  else
    return std::nullopt;
  if (token.strategy == StrategyKind::pct && !(number(token.depth) && number(token.steps)))
    return std::nullopt;
  if (!text.empty()) return std::nullopt;
  return token;
}

inline std::unique_ptr<Strategy> make_strategy(const Token& token) {
  if (token.schedule) return std::make_unique<Replay>(*token.schedule);
  switch (token.strategy) {
    case StrategyKind::pct:
      return std::make_unique<Pct>(token.seed, token.depth, token.steps);
    case StrategyKind::pos:
      return std::make_unique<Pos>(token.seed);
    default:
      return std::make_unique<RandomWalk>(token.seed);
  }
}

inline Scheduler::Settings settings_of(const Options& options) {
  return {.steps_max = options.steps_max,
          .spurious_max = options.spurious,
          .weak_memory = options.weak_memory};
}

inline Failure failure_of(Scheduler& scheduler, const std::function<void()>& body,
                          const Options& options, Scheduler::Settings settings, const Token& token,
                          std::size_t number, Scheduler::Outcome found) {
  const LeaksIgnored ignored;
  Failure failure{.message = *found.failure,
                  .token = to_string(token),
                  .seed = settings.seed,
                  .number = number,
                  .schedule = std::move(found.schedule)};
  if (token.schedule || token.strategy == StrategyKind::depth_first)
    failure.token = to_string(Token{.seed = settings.seed, .schedule = failure.schedule});
  const Shrinker shrinker(scheduler, body, settings, failure.message);
  failure.repeatable = shrinker.fails(failure.schedule);
  failure.shortest =
      options.shrink && failure.repeatable ? shrinker.shortest(failure.schedule) : failure.schedule;
  settings.tracing = true;
  Replay again(failure.shortest);
  failure.trace = scheduler.run(body, again, settings).trace;
  return failure;
}

}  // namespace detail

/// Runs `body` under one schedule after the other until one fails, or options.schedules have been
/// run, or there are no more. The body is called on the calling thread, once for each schedule, and
/// must create everything that its tasks share.
inline Report explore(const Options& options, const std::function<void()>& body) {
  const auto scheduler = std::make_unique<Scheduler>();
  Scheduler::Settings settings = detail::settings_of(options);
  Report report;
  std::optional<DepthFirst> depth_first;
  if (options.strategy == StrategyKind::depth_first) depth_first.emplace(options.preemptions);
  while (report.schedules < options.schedules) {
    const detail::Token token{.strategy = options.strategy,
                              .seed = options.seed + report.schedules,
                              .depth = options.depth,
                              .steps = options.steps_expected};
    settings.seed = depth_first ? 0 : token.seed;
    const auto walk = depth_first ? nullptr : detail::make_strategy(token);
    Scheduler::Outcome outcome = scheduler->run(body, depth_first ? *depth_first : *walk, settings);
    ++report.schedules;
    report.steps += outcome.steps;
    if (outcome.failure) {
      report.failure = detail::failure_of(*scheduler, body, options, settings, token,
                                          report.schedules, std::move(outcome));
      return report;
    }
    scheduler->recycle(std::move(outcome.schedule));
    if (depth_first && !depth_first->next()) {
      report.exhausted = true;
      return report;
    }
  }
  return report;
}

/// Runs `body` under the one schedule that a token of a Failure names; `options` as they were when
/// it was found. Throws std::invalid_argument for any other text.
inline Report repeat(const Options& options, std::string_view token,
                     const std::function<void()>& body) {
  const auto parsed = detail::parse_token(token);
  if (!parsed)
    throw std::invalid_argument(
        "\"" + std::string(token) +
        "\" is not a schedule: expected random:SEED, pos:SEED, pct:SEED:DEPTH:STEPS or "
        "steps:SEED:SCHEDULE");
  const auto scheduler = std::make_unique<Scheduler>();
  const auto strategy = detail::make_strategy(*parsed);
  Scheduler::Settings settings = detail::settings_of(options);
  settings.seed = parsed->seed;
  Scheduler::Outcome outcome = scheduler->run(body, *strategy, settings);
  Report report{.schedules = 1, .steps = outcome.steps};
  if (outcome.failure)
    report.failure =
        detail::failure_of(*scheduler, body, options, settings, *parsed, 1, std::move(outcome));
  return report;
}

}  // namespace weir::lockstep
