#include "support/test_database.hpp"

#include <atomic>
#include <memory>

#include <fmt/core.h>
#include <unistd.h>

#include "base/sha256.hpp"
#include "support/admin_session.hpp"
#include "support/test_server.hpp"

namespace weir::testing {
namespace {

/// This process's share of the server; outlives every database, because it is made before the
/// first.
const LocalPostgres& server() {
  static const LocalPostgres share = join_test_server();
  return share;
}

/// The prepared database to copy; the first process that needs it makes it, the others wait.
std::string prepared(AdminSession& admin, const DatabaseTemplate& pattern) {
  const std::string hash = sha256_hex(pattern.key).substr(0, 16);
  const std::string name = "template_" + hash;
  admin.run(fmt::format("select pg_advisory_lock(x'{}'::bit(64)::bigint)", hash));
  if (admin.run(fmt::format("select 1 from pg_database where datname = '{}'", name)).empty()) {
    const std::string draft = "draft_" + hash;
    admin.run(fmt::format("drop database if exists {} with (force)", draft));
    admin.run(fmt::format("create database {} template template0", draft));
    pattern.prepare(server().url(draft));
    admin.run(fmt::format("alter database {} rename to {}", draft, name));
  }
  return name;  // the lock is released with the session
}

std::string create(const DatabaseTemplate* pattern) {
  static std::atomic<int> count = 0;
  std::string name = fmt::format("test_{}_{}", getpid(), ++count);
  AdminSession admin(server().url());
  const std::string source = pattern == nullptr ? "template0" : prepared(admin, *pattern);
  admin.run(fmt::format("drop database if exists {} with (force)", name));
  // Copying files is faster when nothing is synced. PostgreSQL 14 always does, and has no option.
  const bool has_strategy = admin.run("show server_version_num").front() >= "150000";
  admin.run(fmt::format("create database {} template {}{}", name, source,
                        has_strategy ? " strategy file_copy" : ""));
  return name;
}

const std::string& database_of_process(const DatabaseTemplate* pattern) {
  static const auto only = pattern == nullptr ? std::make_unique<TestDatabase>()
                                              : std::make_unique<TestDatabase>(*pattern);
  return only->url();
}

}  // namespace

TestDatabase::TestDatabase() : name_(create(nullptr)), url_(server().url(name_)) {}

TestDatabase::TestDatabase(const DatabaseTemplate& pattern)
    : name_(create(&pattern)), url_(server().url(name_)) {}

TestDatabase::~TestDatabase() {
  if (getpid() != process_) return;  // a forked child's copy
  try {
    AdminSession(server().url()).run(fmt::format("drop database {} with (force)", name_));
  } catch (const std::exception& failure) {  // the next run of the tests drops it
    fmt::print(stderr, "{}\n", failure.what());
  }
}

const std::string& database() { return database_of_process(nullptr); }

const std::string& database(const DatabaseTemplate& pattern) {
  return database_of_process(&pattern);
}

}  // namespace weir::testing
