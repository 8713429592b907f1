#include "integration/versions/changing_worker.hpp"

#include <cstdio>

#include <doctest/doctest.h>

#include "store/postgres/postgres_worker_store.hpp"
#include "support/log_lines.hpp"
#include "support/test_database.hpp"

namespace weir::testing {

TestFlow version(std::int64_t attempts, TestHandler handler) {
  return {"changing", {{"s", std::move(handler), {}, "single", {.max_attempts = attempts}}}};
}

FlowModule from_file(const TestFlow& flow, char digit, std::shared_ptr<const void> code) {
  FlowModule module = flow.module();
  module.file = {.path = "/plugins/" + module.definition.slug().string() + ".so",
                 .sha256 = std::string(64, digit)};
  module.code = std::move(code);
  return module;
}

ChangingWorker::ChangingWorker(WorkerOptions options) {
  auto store = postgres::open_worker_store(database());
  REQUIRE_MESSAGE(store.has_value(), to_string(store.error()));
  store_ = *std::move(store);
  options.flow_workers = flow_workers_;
  worker_ = std::make_unique<Worker>(std::move(options), registry_, *store_,
                                     printed_log("WEIR_TEST_LOG", stderr));
  thread_ = std::thread([this] { CHECK(worker_->run().has_value()); });
}

ChangingWorker::~ChangingWorker() {
  worker_->stop_now();
  thread_.join();
}

void ChangingWorker::commit(FlowRegistry::Transaction& transaction) {
  const auto committed = transaction.commit();
  REQUIRE_MESSAGE(committed.has_value(), to_string(committed.error()));
  flow_workers_->wake_all();
}

void ChangingWorker::publish(FlowModule module) {
  auto transaction = registry_.begin();
  transaction.succeed(std::move(module));
  commit(transaction);
}

void ChangingWorker::replace(FlowModule module) {
  auto transaction = registry_.begin();
  transaction.register_(std::move(module));
  commit(transaction);
}

void ChangingWorker::unregister(const TestFlow& flow) {
  auto transaction = registry_.begin();
  transaction.unregister(flow.module().definition.module());
  commit(transaction);
}

void ChangingWorker::wait_for_versions(const std::string& slug, int count) {
  const std::string query =
      "select count(*) from weir.versions where workers > 0 and flow = '" + slug + "'";
  REQUIRE(eventually([&] { return query_value(query) == std::to_string(count); }));
}

}  // namespace weir::testing
