#include "conformance/postgres/postgres_under_test.hpp"

#include <stdexcept>

#include <fmt/core.h>

#include "base/sha256.hpp"
#include "conformance/test_worker.hpp"
#include "store/postgres/end_crashed_worker.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "store/postgres/schema_files.hpp"
#include "support/admin_session.hpp"

namespace weir::testing {

std::string sql_literal(std::string_view bytes) {
  std::string literal = "E'";
  for (const char c : bytes) literal += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return literal + "'";
}

std::unique_ptr<StoresUnderTest> fresh_stores() { return std::make_unique<PostgresUnderTest>(); }

std::unique_ptr<WorkerStore> PostgresUnderTest::worker_session() {
  return must(postgres::open_worker_store(url()));
}

std::unique_ptr<RunStore> PostgresUnderTest::client_session() {
  return must(postgres::open_run_store(url()));
}

bool PostgresUnderTest::end_crashed_worker(const CrashedWorker& crashed) {
  return must(postgres::end_crashed_worker(url(), crashed));
}

std::vector<std::string> PostgresUnderTest::sql(const std::string& statement) const {
  return AdminSession(url()).run(statement);
}

int PostgresUnderTest::waiting_for_locks() const {
  return std::stoi(
      sql("select count(*)::text from pg_stat_activity where datname = current_database() and "
          "wait_event_type = 'Lock'")
          .front());
}

void PostgresUnderTest::let_exchanges_wait() const {
  const std::string exchange = sql("select 'weir.exchange'::regproc::oid::regprocedure::text")[0];
  sql("alter function " + exchange + " set lock_timeout = '60s'");
}

DatabaseTemplate PostgresUnderTest::pattern() {
  static const std::string key = [] {
    Sha256 hash;
    for (const auto* files :
         {&postgres::migrations(), &postgres::functions(), &postgres::views(), &postgres::roles()})
      for (const postgres::SqlFile& file : *files) hash.update(file.text);
    return hash.hex();
  }();
  return {.key = key, .prepare = [](const std::string& url) {
            if (const auto done = postgres::migrate(url); !done)
              throw std::runtime_error(to_string(done.error()));
          }};
}

}  // namespace weir::testing
