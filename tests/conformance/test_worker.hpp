#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "conformance/stores_under_test.hpp"
#include "store/flow_store.hpp"
#include "store/plugin_store.hpp"
#include "unit/definition/drafts.hpp"

namespace weir::testing {

/// The value, or the test fails with the error's words.
template <class T>
T must(Result<T> result) {
  if (!result) FAIL(to_string(result.error()));
  return *std::move(result);
}

Json json(std::string_view text);

/// The draft under another slug.
FlowDraft named(std::string slug, FlowDraft draft);

/// A draft of one step, "a".
FlowDraft one_step();

/// The draft with this max_attempts: another version.
FlowDraft with_attempts(std::int64_t max_attempts, FlowDraft draft = one_step());

inline constexpr std::chrono::milliseconds long_lease = std::chrono::minutes(10);

/// A worker's side of the conversation with a store: a session, a lease, and the sequence.
class TestWorker {
 public:
  /// With crashed workers it is one that holds a trial of their suspects.
  explicit TestWorker(StoresUnderTest& stores, std::vector<WorkerId> trial_of = {});

  /// Makes the flow known, and runnable here.
  VersionId loads(const FlowDraft& draft);

  /// Reports what it has.
  void serves(const std::map<VersionId, ServedVersion>& served) const;

  /// The next request: nothing to report, `claims_max` runs wanted of the versions loaded.
  ExchangeRequest next(std::size_t claims_max = 0);

  /// The next exchange; must succeed.
  ExchangeReply exchange(const ExchangeRequest& request) {
    return must(session->exchange(request));
  }
  std::vector<ClaimedRun> claim(std::size_t claims_max);
  ClaimedRun claim_one();

  Result<void> starts_child(RunKey parent, std::size_t step, int attempt, const std::string& flow,
                            const Json& input);
  void journals(RunKey run, const JournalRow& row);
  void ends(RunKey run, const RunEnd& end);

  /// Its lease runs out while it holds what it holds; with the last exchange, repeated, or one more.
  void lapses(RunStore& client, const ExchangeRequest* last = nullptr);

  std::unique_ptr<WorkerStore> session;
  WorkerId id;
  std::int64_t sequence = 0;
  std::vector<VersionId> versions;
  std::vector<InFlightTask> in_flight;  ///< stated with every exchange
};

JournalRow completed(std::size_t step, std::size_t index, int attempt, std::string_view output);
JournalRow failed(std::size_t step, std::size_t index, int attempt, std::string_view error);

/// The one run's rows.
std::vector<JournalRow> journal_of(WorkerStore& session, RunKey run);

StartedRun start_one(RunStore& client, std::string_view input = "null",
                     const StartOptions& options = {});

}  // namespace weir::testing
