// Runs the flow in memory: without a database, without a worker, and without waiting for backoff.
#include <cstdio>

#include <weir/testing/flow_runner.hpp>

namespace {

int mistakes = 0;

void check(bool fact, const char* what, const weir::testing::FinishedRun& run) {
  if (fact) return;
  ++mistakes;
  std::fprintf(stderr, "failed: %s\n  output %s\n  error  %s\n", what, run.output().c_str(),
               run.error().c_str());
}

}  // namespace

int main() {
  weir::testing::FlowRunner flow(weir_plugin_v1, "plugin_name");

  auto run = flow.run(R"({"name": "Ada"})");
  check(run.output() == R"({"shout":{"text":"HELLO, ADA!"}})", "Ada is greeted loudly", run);

  flow.fail("shout", "lost its voice", 2);  // the next two attempts
  run = flow.run(R"({"name": "Ada"})");
  check(run.completed(), "a voice that comes back is enough", run);
  check(run.attempts("shout").size() == 3, "shouting takes three attempts", run);
  return mistakes == 0 ? 0 : 1;
}
