#pragma once
#include <functional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace weir::testing {

/// The contents of a new database. Prepared once for a `key` and then copied, which takes about
/// 15 ms for each database.
struct DatabaseTemplate {
  /// Must change whenever `prepare` would do something else; for example a hash of the migrations.
  std::string_view key;
  /// Fills the empty database behind the URL and closes its connections. Throws to fail.
  std::function<void(const std::string& url)> prepare;
};

/// The libpq URL of this process's own database: empty, made at the first call, dropped when the
/// process ends. All test processes share one server without fsync, which ctest keeps running; a
/// test program started by hand starts it itself, and the last one to leave stops it.
///
/// Throws std::runtime_error when it cannot be made; this fails a test.  [any thread]
const std::string& database();

/// As database(), copied from `pattern`; the first call of either decides for the whole process.
const std::string& database(const DatabaseTemplate& pattern);

/// One more database, for tests that need two; dropped when the object is destroyed.
class TestDatabase {
 public:
  TestDatabase();
  explicit TestDatabase(const DatabaseTemplate& pattern);
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;
  ~TestDatabase();

  const std::string& url() const noexcept { return url_; }

 private:
  std::string name_;
  std::string url_;
  pid_t process_ = getpid();
};

}  // namespace weir::testing
