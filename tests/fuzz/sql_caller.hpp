#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include "fuzz/sql_values.hpp"

namespace weir::testing {

/// A function that a role may call.
struct SqlFunction {
  std::string name;
  std::vector<SqlParameter> parameters;
};

/// All functions of the schema that `role` may call, from the catalogue.
std::vector<SqlFunction> functions_of(const std::string& url, const std::string& role);

/// What calls came to: SQLSTATEs, and "taken".
struct SqlOutcomes {
  std::map<std::string, std::map<std::string, std::uint64_t>> counts;  ///< by function, by code
  std::map<std::string, std::vector<std::string>> faults;  ///< by "function code": some calls

  std::uint64_t calls() const;
  void add(const SqlOutcomes& other);
  /// A line for each function: its name, and each code with its count.
  std::string table() const;
};

/// A session of one role that calls its functions with values that SqlValues draws, each call in a
/// transaction of its own, with a deadline. [one thread]
class SqlCaller {
 public:
  SqlCaller(const std::string& url, std::string role);

  /// Calls one of the functions. A function that would end other runs by right is rolled back.
  void call(SqlValues& values, SqlOutcomes& outcomes);

  /// Calls a function with these arguments, and all others null or empty. The rows' first column;
  /// empty when it is refused.
  std::vector<std::string> call_plainly(const std::string& function,
                                        const std::map<std::string, std::string>& arguments);

 private:
  struct Close {
    void operator()(PGconn* connection) const { PQfinish(connection); }
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Close>;

  Answer run(const std::string& statement, const std::vector<std::optional<std::string>>& values);
  void judge(const SqlFunction& function, const PGresult& answer, const std::string& shown,
             SqlOutcomes& outcomes) const;

  std::string role_;
  std::vector<SqlFunction> functions_;
  std::unique_ptr<PGconn, Close> connection_;
};

}  // namespace weir::testing
