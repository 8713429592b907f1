#include "store/postgres/migrate.hpp"

#include <fmt/core.h>

#include "base/sha256.hpp"
#include "store/postgres/schema_files.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

// Schema code (functions, views, roles) is replaced as a whole whenever any of it differs.
std::string code_digest() {
  Sha256 hash;
  for (const auto* files : {&functions(), &views(), &roles()})
    for (const SqlFile& file : *files) hash.update(file.text);
  return hash.hex();
}

void apply_code(pqxx::transaction_base& transaction) {
  for (const auto* files : {&functions(), &views(), &roles()})
    for (const SqlFile& file : *files) transaction.exec(file.text);
}

constexpr const char* code_count =
    "select (select count(*) from pg_proc where pronamespace = 'weir'::regnamespace),"
    " (select count(*) from pg_class where relnamespace = 'weir'::regnamespace and relkind = 'v')";

// Replaces the code in place if possible, so that grants and dependent objects of users remain.
// False when it is not: when columns, arguments or results changed, or when functions of an older
// program are left.
bool replace_code(pqxx::work& transaction) {
  try {
    pqxx::subtransaction attempt(transaction);
    apply_code(attempt);
    const pqxx::result count = attempt.exec(code_count);
    if (count[0][0].as<std::size_t>() != functions().size() ||
        count[0][1].as<std::size_t>() != views().size())
      return false;
    attempt.commit();
    return true;
  } catch (const pqxx::sql_error&) {
    return false;  // creating it again succeeds, or reports the error
  }
}

struct StoredState {
  int number = 0;
  std::string digest;
};

constexpr const char* schema_exists = "select to_regclass('weir.migration') is not null";
constexpr const char* stored_state =
    "select coalesce(max(number), 0), coalesce((select sha256 from weir.schema_code), '') from "
    "weir.migration";

int program_number() { return static_cast<int>(migrations().size()); }

Error newer(int number) {
  return {.code = ErrorCode::conflict,
          .kind = "database_newer",
          .message = fmt::format("the database's schema has number {}, this program knows up to {}",
                                 number, program_number()),
          .hint = "a newer Weir has migrated it: use that one or a later one"};
}

Result<StoredState> read_state(Session& session) {
  const auto exists = session.query(schema_exists);
  if (!exists) return std::unexpected(exists.error());
  if (!(*exists)[0][0].as<bool>()) return StoredState{};
  const auto row = session.query(stored_state);
  if (!row) return std::unexpected(row.error());
  return StoredState{(*row)[0][0].as<int>(), (*row)[0][1].as<std::string>()};
}

}  // namespace

Result<SchemaState> schema_state(const std::string& url) {
  auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  const auto found = read_state(**session);
  if (!found) return std::unexpected(found.error());
  return SchemaState{.database = found->number, .program = program_number()};
}

Result<MigrationReport> migrate(const std::string& url) {
  auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  const auto found = read_state(**session);
  if (!found) return std::unexpected(found.error());
  if (found->number > program_number()) return std::unexpected(newer(found->number));
  MigrationReport report{.before = found->number, .after = program_number(), .applied = {}};
  if (found->number == program_number() && found->digest == code_digest()) return report;

  int before = 0;
  const auto done = (*session)->transact([&](pqxx::work& transaction) {
    transaction.exec("select pg_advisory_xact_lock(hashtextextended('weir migrate', 0))");
    transaction.exec(
        "set local check_function_bodies = off; create schema if not exists weir;"
        "create table if not exists weir.migration (number integer primary key, name text not null,"
        " applied_at timestamptz not null default now());"
        "create table if not exists weir.schema_code (singleton boolean primary key default true "
        "check "
        "(singleton),"
        " sha256 text not null)");
    // Read again: another process may have migrated in the meantime.
    const pqxx::result state = transaction.exec(stored_state);
    before = state[0][0].as<int>();
    if (before > program_number()) return;
    for (int number = before + 1; number <= program_number(); ++number) {
      const SqlFile& file = migrations()[static_cast<std::size_t>(number) - 1];
      transaction.exec(file.text);
      transaction.exec(fmt::format("insert into weir.migration (number, name) values ({}, {})",
                                   number, transaction.quote(file.name)));
      report.applied.push_back(file.name);
    }
    if (state[0][1].as<std::string>() == code_digest()) return;
    if (!replace_code(transaction)) {
      transaction.exec("select weir.drop_code()");
      apply_code(transaction);
    }
    transaction.exec(
        fmt::format("insert into weir.schema_code (sha256) values ('{0}') "
                    "on conflict (singleton) do update set sha256 = '{0}'",
                    code_digest()));
  });
  if (!done) return std::unexpected(done.error());
  if (before > program_number()) return std::unexpected(newer(before));
  report.before = before;
  return report;
}

}  // namespace weir::postgres
