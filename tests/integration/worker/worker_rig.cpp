#include "integration/worker/worker_rig.hpp"

#include <cstdio>
#include <cstdlib>

#include <doctest/doctest.h>

#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "store/postgres/session.hpp"
#include "support/log_lines.hpp"
#include "support/test_database.hpp"

namespace weir::testing {
namespace {

template <class T>
T required(Result<T> result) {
  REQUIRE_MESSAGE(result.has_value(), to_string(result.error()));
  return *std::move(result);
}

}  // namespace

EmptyDatabase::EmptyDatabase() {
  const auto session = required(postgres::Session::open(database()));
  const auto dropped = session->transact(
      [](pqxx::work& transaction) { transaction.exec("drop schema if exists weir cascade"); });
  REQUIRE_MESSAGE(dropped.has_value(), to_string(dropped.error()));
  required(postgres::migrate(database()));
}

WorkerOptions RunningWorker::quick() {
  return {.slots = 4,
          .lease = std::chrono::seconds(30),
          .drain_timeout = std::chrono::milliseconds(10'000),
          .overrides = {}};
}

RunningWorker::RunningWorker(const std::vector<const TestFlow*>& flows, WorkerOptions options,
                             std::shared_ptr<Log> log)
    : store_(required(postgres::open_worker_store(database()))) {
  for (const TestFlow* flow : flows) registry_.register_or_throw(flow->module());
  worker_ = std::make_unique<Worker>(std::move(options), registry_, *store_,
                                     log ? std::move(log) : printed_log("WEIR_TEST_LOG", stderr));
  thread_ = std::thread([this] { ended_ = worker_->run(); });
  if (flows.empty()) return;
  TestClient client;
  const std::string slug = flows.back()->module().definition.slug().string();
  if (eventually([&] { return client.store().flow(slug, std::nullopt).has_value(); })) return;
  worker_->stop_now();
  thread_.join();
  FAIL("the worker did not make its flows known");
}

RunningWorker::~RunningWorker() {
  if (!thread_.joinable()) return;
  worker_->stop_now();
  thread_.join();
}

Result<Worker::Ended> RunningWorker::join() {
  thread_.join();
  return *ended_;
}

DatabaseAway::DatabaseAway()
    : name_(query_value("select current_database()")),
      // By way of another database: nobody can close the one he is in.
      session_(required(postgres::Session::open(database() + "&dbname=postgres"))) {
  allow_connections(false);
  const auto cut = session_->query(
      "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1", {name_});
  REQUIRE_MESSAGE(cut.has_value(), to_string(cut.error()));
}

DatabaseAway::~DatabaseAway() { allow_connections(true); }

void DatabaseAway::allow_connections(bool allow) {
  const auto done = session_->transact([&](pqxx::work& transaction) {
    transaction.exec("alter database \"" + name_ + "\" with allow_connections " +
                     (allow ? "true" : "false"));
  });
  CHECK(done.has_value());
}

TestClient::TestClient() : store_(required(postgres::open_run_store(database()))) {}

std::string TestClient::start(const std::string& flow, const std::string& input,
                              const StartOptions& options) {
  return required(client_on(*store_).start_many(flow, {required(Json::parse(input))}, options))
      .front()
      .id;
}

RunReport TestClient::wait(const std::string& id) {
  return required(client_on(*store_).wait(id, [](const RunReport&) {}, std::chrono::seconds(30)));
}

RunReport TestClient::run(const std::string& flow, const std::string& input) {
  return wait(start(flow, input));
}

const StepReport& step_of(const RunReport& report, const std::string& slug) {
  for (const StepReport& step : report.steps)
    if (step.slug == slug) return step;
  FAIL("no step " << slug);
  std::abort();
}

std::string query_value(const std::string& sql) {
  const auto session = required(postgres::Session::open(database()));
  std::string value;
  const auto done = session->transact([&](pqxx::work& transaction) {
    const pqxx::result rows = transaction.exec(sql);
    REQUIRE(rows.size() == 1);
    if (!rows[0][0].is_null()) value = rows[0][0].as<std::string>();
  });
  REQUIRE_MESSAGE(done.has_value(), to_string(done.error()));
  return value;
}

std::string sweep_all_workers() {
  return query_value(
      "update weir.worker set lease_until = now() - interval '1 s' where ended_at is null; "
      "select weir.sweep()");
}

}  // namespace weir::testing
