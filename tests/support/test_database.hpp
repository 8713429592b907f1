#pragma once
#include <functional>
#include <string>
#include <string_view>

#include <unistd.h>

namespace weir::testing {

/// What a fresh database begins with. Prepared once for a `key` and then copied, about 15 ms a
/// database.
struct DatabaseTemplate {
  /// Changes whenever `prepare` would do something else: a hash of the migrations, say.
  std::string_view key;
  /// Fills the empty database behind the URL and closes its connections. Throws to fail.
  std::function<void(const std::string& url)> prepare;
};

/// The libpq URL of this process's own database: empty, made at the first call, dropped when the
/// process ends. All test processes share one server without fsync, which ctest holds up while it
/// runs; a test program started by hand brings it up itself, and the last one out stops it.
///
/// Throws std::runtime_error when there can be none; in a test that fails the test.  [any thread]
const std::string& database();

/// As database(), copied from `pattern`; the first call of either decides for the whole process.
const std::string& database(const DatabaseTemplate& pattern);

/// One more database, for tests that need two; dropped when the object goes.
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
