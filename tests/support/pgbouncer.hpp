#pragma once
#include <optional>
#include <string>

#include "support/program.hpp"
#include "support/temporary_folder.hpp"

namespace weir::testing {

/// A PgBouncer before the server of a URL, on a socket of its own.
class Pgbouncer {
 public:
  /// Whether this machine has the program.
  static bool is_installed();

  /// `mode`: "session" or "transaction". `pool` sessions of the server at most; who waits for one
  /// for 10 s is refused.
  Pgbouncer(const std::string& url, const std::string& mode, int pool = 50);

  const std::string& url() const { return url_; }

 private:
  TemporaryFolder folder_;
  std::string url_;
  std::optional<Running> process_;
};

}  // namespace weir::testing
