// later_test PLUGIN: leads the flow of plugins/later, or of one of its twins, through what it has to
// do, in virtual time. Ends with 0 when all holds.
#include <chrono>
#include <cstdio>
#include <string>

#include <weir/testing/flow_runner.hpp>

using namespace std::chrono_literals;

namespace {

int mistakes = 0;

void check(bool fact, const char* what, const weir::testing::FinishedRun& run) {
  if (fact) return;
  ++mistakes;
  std::fprintf(stderr, "failed: %s\n  %s after %lld us\n  output %s\n  error  %s\n", what,
               run.status().c_str(), static_cast<long long>(run.elapsed().count()),
               run.output().c_str(), run.error().c_str());
}

}  // namespace

int main(int, char** arguments) {
  auto flow = weir::testing::FlowRunner::load(arguments[1]);

  std::string hours = "[3600000";
  for (int i = 1; i < 1'000; ++i) hours += ",3600000";
  hours += "]";
  auto run = flow.run(hours);
  check(run.output() == "{\"later\":" + hours + "}", "all calls answer with their input", run);
  check(run.elapsed() == 1h, "a thousand hours at once are one", run);

  run = flow.run("[0, 250]");
  check(run.output() == R"({"later":[0,250]})", "no time can pass", run);
  check(run.attempts("later").at(1).took == 250ms, "an attempt takes its wait", run);

  run = flow.run("[99999999999]");
  check(run.attempts("later").at(0).error_code == "bad_input", "years are refused", run);

  flow.timeout("later", 30min);
  flow.max_attempts("later", 1);
  run = flow.run("[3600000]");
  check(run.attempts("later").at(0).outcome == "timed_out", "an hour is more than half of one",
        run);
  check(run.elapsed() == 30min, "the wait ends at the timeout", run);

  flow.time_out("later");
  run = flow.run("[1]");
  check(run.attempts("later").at(0).outcome == "timed_out", "what is stopped does not answer", run);
  return mistakes == 0 ? 0 : 1;
}
