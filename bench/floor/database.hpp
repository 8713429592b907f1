#pragma once
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace weir::bench {

using Row = std::unique_ptr<PGresult, decltype(&PQclear)>;

/// The tables of the floor, of which each mode uses its own. They are made anew, in schema `floor`.
extern const char* const floor_tables;

/// A connection to $FLOOR_CONNINFO with schema `floor`; whatever fails ends the program.
class Database {
 public:
  Database();

  /// Runs one or more statements.
  Row run(const std::string& statements);

  void prepare(const char* name, const char* statement);
  Row execute(const char* name, const std::vector<std::string>& parameters);

  /// So that no plan depends on how many rows there were when it was made.
  void keep_plans();

  int process() const { return PQbackendPID(connection_.get()); }

  /// Waits until something is notified, at most `milliseconds`; whether anything was.
  bool wait_for_notification(int milliseconds);

 private:
  bool take_notifications();
  Row checked(PGresult* result, const std::string& what);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

/// The first column of all rows.
std::vector<std::string> first_column(const Row& rows);

/// As PostgreSQL writes an array.
std::string array_of(const std::vector<std::string>& values);

}  // namespace weir::bench
