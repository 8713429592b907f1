#pragma once
#include <memory>
#include <string>
#include <vector>

#include <libpq-fe.h>

namespace weir::testing {

/// A plain connection with which tests change a database from outside. Throws std::runtime_error.
class AdminSession {
 public:
  explicit AdminSession(const std::string& url);

  /// Runs one statement; returns the first column of its rows.
  std::vector<std::string> run(const std::string& statement);

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace weir::testing
