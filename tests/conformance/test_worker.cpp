#include "conformance/test_worker.hpp"

#include <array>

#include "support/eventually.hpp"

namespace weir::testing {
namespace {

constexpr Time some_day{std::chrono::hours(400'000)};

}  // namespace

Json json(std::string_view text) { return must(Json::parse(std::string(text))); }

FlowDraft named(std::string slug, FlowDraft draft) {
  draft.slug = std::move(slug);
  return draft;
}

FlowDraft one_step() { return flow({step("a")}); }

FlowDraft with_attempts(std::int64_t max_attempts, FlowDraft draft) {
  draft.options.max_attempts = max_attempts;
  return draft;
}

TestWorker::TestWorker(StoresUnderTest& stores, std::vector<WorkerId> trial_of)
    : session(stores.worker_session()),
      id(must(session->join({.host = "here",
                             .pid = 42,
                             .slots = 4,
                             .async_calls = 7,
                             .trial_of = std::move(trial_of)},
                            long_lease))) {}

VersionId TestWorker::loads(const FlowDraft& draft) {
  versions.push_back(must(session->flows().register_version(built(draft))));
  return versions.back();
}

void TestWorker::serves(const std::map<VersionId, ServedVersion>& served) const {
  must(session->flows().serve_versions(id, served));
}

ExchangeRequest TestWorker::next(std::size_t claims_max) {
  return {.worker = id,
          .sequence = ++sequence,
          .lease = long_lease,
          .settled = {},
          .ended = {},
          .released = {},
          .in_flight = in_flight,
          .versions = versions,
          .claims_max = claims_max};
}

std::vector<ClaimedRun> TestWorker::claim(std::size_t claims_max) {
  return exchange(next(claims_max)).claimed;
}

ClaimedRun TestWorker::claim_one() {
  const auto claimed = claim(1);
  REQUIRE(claimed.size() == 1);
  return claimed.front();
}

Result<void> TestWorker::starts_child(RunKey parent, std::size_t step, int attempt,
                                      const std::string& flow, const Json& input) {
  auto started = session->start_children(
      id, long_lease,
      {{.parent = parent, .step = step, .attempt = attempt, .flow = flow, .input = input}});
  if (!started) return std::unexpected(started.error());
  REQUIRE(started->size() == 1);
  return std::move(started->front());
}

void TestWorker::journals(RunKey run, const JournalRow& row) {
  ExchangeRequest request = next();
  request.settled.push_back({run, row, {}});
  exchange(request);
}

void TestWorker::ends(RunKey run, const RunEnd& end) {
  ExchangeRequest request = next();
  request.ended.push_back({run, end});
  exchange(request);
}

void TestWorker::lapses(RunStore& client, const ExchangeRequest* last) {
  const std::int64_t alive = must(client.workers_alive());
  ExchangeRequest request = last != nullptr ? *last : next();
  request.lease = std::chrono::milliseconds(1);
  exchange(request);
  REQUIRE(eventually([&] { return must(client.workers_alive()) == alive - 1; }));
}

JournalRow completed(std::size_t step, std::size_t index, int attempt, std::string_view output) {
  return {.task = {step, index},
          .attempt = attempt,
          .output = json(output),
          .started_at = some_day,
          .ended_at = some_day + std::chrono::seconds(1)};
}

JournalRow failed(std::size_t step, std::size_t index, int attempt, std::string_view error) {
  return {.task = {step, index},
          .attempt = attempt,
          .outcome = Outcome::failed,
          .error_code = "e",
          .error = std::string(error),
          .started_at = some_day,
          .ended_at = some_day + std::chrono::seconds(2)};
}

std::vector<JournalRow> journal_of(WorkerStore& session, RunKey run) {
  const std::array<RunKey, 1> one = {run};
  return must(session.journal(one))[run];
}

StartedRun start_one(RunStore& client, std::string_view input, const StartOptions& options) {
  const auto started = must(client.start("totals", {json(input)}, options));
  REQUIRE(started.size() == 1);
  return started.front();
}

}  // namespace weir::testing
