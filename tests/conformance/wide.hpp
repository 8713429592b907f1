#pragma once
#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "conformance/test_worker.hpp"
#include "store/share_store.hpp"

namespace weir::testing {

inline std::vector<Json> numbers(std::size_t first, std::size_t count) {
  std::vector<Json> all;
  for (std::size_t i = first; i < first + count; ++i)
    all.push_back(Json::number(static_cast<std::int64_t>(i) * 10));
  return all;
}

inline OfferedRange range(std::size_t first, std::size_t count) {
  return {.step = 0, .attempt = 1, .first = first, .inputs = numbers(first, count)};
}

/// An owner with a run that maps over ten numbers, and a helper.
struct Wide {
  explicit Wide(StoresUnderTest& under_test) : stores(under_test) {
    owner.loads(flow({of_kind("map", "m")}));
    helper.versions = owner.versions;
    must(helper.session->flows().serve_versions(helper.id, {{owner.versions.front(), {}}}));
    start_one(*client, "[0,10,20,30,40,50,60,70,80,90]");
    run = owner.claim_one().run;
  }

  static ShareStore& shares(const TestWorker& worker) { return *worker.session->shares(); }
  void offers(std::vector<OfferedRange> ranges) {
    must(shares(owner).offer_shares(owner.id, run, ranges));
  }
  std::vector<TakenShare> takes(const TestWorker& worker, std::size_t count = 1) {
    return must(shares(worker).take_shares(worker.id, worker.versions, count, {}));
  }
  TakenShare takes_one(const TestWorker& worker) {
    const auto taken = takes(worker, 1);
    REQUIRE(taken.size() == 1);
    return taken.front();
  }
  Result<std::size_t> settles(const TestWorker& worker, ShareId share,
                              const std::vector<JournalRow>& rows) {
    return shares(worker).settle_share(worker.id, share, rows, {});
  }
  std::vector<HeldRange> takes_back(const TestWorker& worker) {
    return must(shares(worker).take_back_shares(worker.id, std::array{run}));
  }
  std::vector<ShareResult> fetch_results(const TestWorker& worker,
                                         const std::vector<std::int64_t>& acknowledged = {}) {
    return must(shares(worker).fetch_share_results(worker.id, std::array{run}, acknowledged));
  }
  TestWorker next_worker() {
    TestWorker next(stores);
    next.versions = owner.versions;
    return next;
  }

  StoresUnderTest& stores;
  TestWorker owner{stores}, helper{stores};
  std::unique_ptr<RunStore> client = stores.client_session();
  RunKey run = 0;
};

inline void check_refused(const Result<std::size_t>& settled, const std::string& message) {
  REQUIRE_FALSE(settled.has_value());
  CHECK(settled.error().code == ErrorCode::lease_lost);
  CHECK(settled.error().message == message);
}

}  // namespace weir::testing
