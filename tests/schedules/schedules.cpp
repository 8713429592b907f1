#include "schedules/schedules.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

namespace weir::schedules {
namespace {

using lockstep::Options;
using lockstep::Report;
using lockstep::StrategyKind;

#if defined(WEIR_FIBERS_UNDER_ASAN) || defined(WEIR_FIBERS_UNDER_TSAN)
constexpr std::size_t short_round = 200;  // a sanitizer makes every switch expensive
#else
constexpr std::size_t short_round = 4'000;
#endif
constexpr std::size_t depth_first_max = 50'000'000;
constexpr std::size_t planted_max = 200;

// How many schedules the long round asks for; none in the tests.
std::optional<std::size_t> long_round() {
  const char* text = std::getenv("WEIR_LOCKSTEP_SCHEDULES");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::string test_name() { return doctest::getContextOptions()->currentTest->m_name; }

std::string repeat_line(const lockstep::Failure& failure) {
  return "WEIR_LOCKSTEP_REPEAT=" + failure.token + ' ' +
         doctest::getContextOptions()->binary_name.c_str() + " -tc=\"" + test_name() + '"';
}

// One line of JSON for script/lockstep. Names of tests have no quotes in them.
void note_result(std::string_view strategy, const Report& report, double seconds, bool planted) {
  const char* path = std::getenv("WEIR_LOCKSTEP_RESULTS");
  if (path == nullptr) return;
  std::ofstream(path, std::ios::app)
      << "{\"scenario\":\"" << test_name() << "\",\"strategy\":\"" << strategy
      << "\",\"schedules\":" << report.schedules << ",\"steps\":" << report.steps
      << ",\"planted\":" << (planted ? "true" : "false") << ",\"seconds\":" << seconds
      << ",\"exhausted\":" << (report.exhausted ? "true" : "false")
      << ",\"failed\":" << (report.failure ? "true" : "false") << "}\n";
}

Report explored(const std::function<void()>& body, const Options& options,
                std::string_view strategy, bool planted) {
  const auto begin = std::chrono::steady_clock::now();
  Report report = lockstep::explore(options, body);
  note_result(strategy, report,
              std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
              planted);
  return report;
}

}  // namespace

void survive(const std::function<void()>& body, Options options) {
  if (const char* token = std::getenv("WEIR_LOCKSTEP_REPEAT")) {
    const Report report = lockstep::repeat(options, token, body);
    MESSAGE(to_string(report));
    CHECK(!report.failure);
    return;
  }
  const auto wanted = long_round();
  const std::size_t schedules = wanted.value_or(short_round);
  struct Round {
    std::string_view name;
    StrategyKind strategy;
    bool weak_memory;
    std::size_t schedules;
  };
  const std::array<Round, 7> rounds = {{
      {"random", StrategyKind::random, options.weak_memory, schedules},
      {"random with weak memory", StrategyKind::random, true, schedules / 2},
      {"pct", StrategyKind::pct, options.weak_memory, schedules / 4},
      {"pct with weak memory", StrategyKind::pct, true, schedules / 4},
      {"pos", StrategyKind::pos, options.weak_memory, schedules / 4},
      {"pos with weak memory", StrategyKind::pos, true, schedules / 4},
      {"depth first", StrategyKind::depth_first, false, wanted ? depth_first_max : short_round},
  }};
  for (const Round& round : rounds) {
    options.strategy = round.strategy;
    options.weak_memory = round.weak_memory;
    options.schedules = round.schedules;
    const Report report = explored(body, options, round.name, false);
    const std::string what = to_string(report);
    CHECK_MESSAGE(!report.failure,
                  round.name << ": " << what << '\n'
                             << (report.failure ? repeat_line(*report.failure) : std::string()));
    if (wanted && round.strategy == StrategyKind::depth_first)
      CHECK_MESSAGE(report.exhausted, "depth-first search did not come to its end: " << what);
    if (report.failure) return;
  }
}

void find(const std::function<void()>& body, std::string_view expected, Options options) {
  const lockstep::LeaksIgnored ignored;  // what fails is left where it stands
  if (const char* token = std::getenv("WEIR_LOCKSTEP_REPEAT")) {
    MESSAGE(to_string(lockstep::repeat(options, token, body)));
    return;
  }
  std::size_t found_by = 0;
  for (const StrategyKind strategy :
       {StrategyKind::random, StrategyKind::pct, StrategyKind::pos, StrategyKind::depth_first}) {
    options.strategy = strategy;
    options.schedules = planted_max;
    const Report report = explored(body, options, name(strategy), true);
    if (!report.failure) continue;
    ++found_by;
    const lockstep::Failure& failure = *report.failure;
    INFO(to_string(report));
    CHECK(failure.message.find(expected) != std::string::npos);
    CHECK(failure.repeatable);
    const Report again = lockstep::repeat(options, failure.token, body);
    REQUIRE(again.failure);
    CHECK(again.failure->message == failure.message);
    CHECK(again.failure->schedule == failure.schedule);
    CHECK(switches(failure.shortest) <= switches(failure.schedule));
    if (long_round())
      std::printf("%s: %s in schedule %zu, %s\n", test_name().c_str(),
                  std::string(name(strategy)).c_str(), failure.number,
                  repeat_line(failure).c_str());
  }
  CHECK_MESSAGE(found_by > 0, "no strategy found the planted bug within 200 schedules");
}

}  // namespace weir::schedules
