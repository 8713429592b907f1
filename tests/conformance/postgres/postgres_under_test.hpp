#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "conformance/stores_under_test.hpp"
#include "support/test_database.hpp"

namespace weir::testing {

/// Any bytes as a literal of SQL.
std::string sql_literal(std::string_view bytes);

/// A migrated PostgreSQL database.
class PostgresUnderTest final : public StoresUnderTest {
 public:
  std::unique_ptr<WorkerStore> worker_session() override;
  std::unique_ptr<RunStore> client_session() override;
  bool end_crashed_worker(const CrashedWorker& crashed) override;

  const std::string& url() const noexcept { return database_.url(); }

  /// The first column of what a statement gives, asked over a session of its own.
  std::vector<std::string> sql(const std::string& statement) const;

  /// How many sessions of this database wait for a lock.
  int waiting_for_locks() const;

  /// From now on an exchange waits for a lock, which it gives up after a moment otherwise, for so
  /// long that a test can see it wait.
  void let_exchanges_wait() const;

 private:
  TestDatabase database_{pattern()};
  static DatabaseTemplate pattern();
};

}  // namespace weir::testing
