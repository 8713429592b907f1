#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conformance/test_worker.hpp"

namespace weir::testing {

/// A worker of a flow of one step, which has limits.
struct Limits {
  explicit Limits(StoresUnderTest& under_test) : stores(under_test) { worker.loads(one_step()); }
  StoresUnderTest& stores;
  TestWorker worker{stores};
  std::unique_ptr<RunStore> client = stores.client_session();

  void set(const FlowLimits& limits) { must(worker.session->flows().set_limits("totals", limits)); }

  /// Runs of these customers, in this order.
  void start(const std::vector<std::string>& customers) {
    std::vector<Json> inputs;
    for (const std::string& customer : customers)
      inputs.push_back(json(fmt::format(R"({{"customer": "{}"}})", customer)));
    must(client->start("totals", inputs, {}));
  }

  std::unique_ptr<TestWorker> another() {
    auto other = std::make_unique<TestWorker>(stores);
    other->versions = worker.versions;
    return other;
  }
};

/// The customers of these runs, sorted.
inline std::string customers(const std::vector<ClaimedRun>& runs) {
  std::string text;
  for (const ClaimedRun& run : runs) {
    const std::string input(run.input.text());
    text += input.substr(input.find(": \"") + 3, 1);
  }
  std::ranges::sort(text);
  return text;
}

inline void ends_run(TestWorker& worker, const ClaimedRun& run) {
  worker.ends(run.run, {.output = json("1")});
}

}  // namespace weir::testing
