#include "store/postgres/migrate.hpp"

#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "store/postgres/found_schema.hpp"
#include "store/postgres/lock_limit.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr const char* migrate_lock =
    "do $weir$ begin perform pg_advisory_xact_lock(hashtextextended('weir migrate', 0)); end "
    "$weir$;\n";

// Where the numbers are; and a script that was printed long ago must not be run any more.
constexpr const char* begin_format = R"sql(set local check_function_bodies = off;
set local search_path = pg_catalog;
set local standard_conforming_strings = on;
create schema if not exists weir;
create table if not exists weir.migration (
  number integer primary key,
  name text not null,
  applied_at timestamptz not null default now());
create table if not exists weir.schema_code (
  singleton boolean primary key default true check (singleton),
  sha256 text not null);
do $weir$ begin
  -- With "if not exists" it would lock the table all the same, and every program reads it first.
  if not exists (select from pg_attribute a
                 where a.attrelid = 'weir.schema_code'::regclass and a.attname = 'oldest_program') then
    alter table weir.schema_code add column oldest_program integer not null default 0;
  end if;
  if (select coalesce(max(number), 0) from weir.migration) <> {}
    or coalesce((select sha256 from weir.schema_code), '') <> '{}' then
    raise exception 'the schema is no longer the one that this script was made for'
      using hint = 'make it again: weir migrate --print';
  end if;
end $weir$;
)sql";

// Replaces the code in place if possible, so that grants and dependent objects of users remain. It
// is not when columns, arguments or results changed, or when functions of an older program are left:
// then all of it is made again.
constexpr const char* code_format = R"sql(
do $weir_migrate$
declare
  v_code constant text := $weir_code$
{code}$weir_code$;
begin
  begin
    execute v_code;
    if (select count(*) from pg_proc where pronamespace = 'weir'::regnamespace) <> {functions}
      or (select count(*) from pg_class where relnamespace = 'weir'::regnamespace and relkind = 'v') <> {views} then
      raise exception 'functions or views of an older program are left';
    end if;
  exception when lock_not_available then
    raise;
  when others then
    perform weir.drop_code();
    execute v_code;
  end;
end $weir_migrate$;
insert into weir.schema_code (sha256, oldest_program) values ('{digest}', {oldest_program})
on conflict (singleton) do update set sha256 = excluded.sha256, oldest_program = excluded.oldest_program;
)sql";

std::string code_script(const Schema& schema) {
  std::string code;
  for (const auto* files : {&schema.functions, &schema.views, &schema.roles})
    for (const SqlFile& file : *files) code += file.text;
  return fmt::format(
      code_format, fmt::arg("code", code), fmt::arg("functions", schema.functions.size()),
      fmt::arg("views", schema.views.size()), fmt::arg("digest", schema.code_digest()),
      fmt::arg("oldest_program", schema.oldest_program));
}

// Why nothing can be done.
std::optional<Error> refusal(const FoundSchema& found, const Schema& schema) {
  if (auto error = access_error(found)) return error;
  if (found.number > schema.number()) return newer_error(found, schema);
  return std::nullopt;
}

MigrationReport report_of(const FoundSchema& found, const Schema& schema) {
  MigrationReport report{.before = found.number,
                         .after = schema.number(),
                         .applied = {},
                         .replaces_code = found.code_digest != schema.code_digest()};
  for (auto at = static_cast<std::size_t>(found.number); at < schema.migrations.size(); ++at)
    report.applied.push_back(schema.migrations[at].name);
  return report;
}

// The statements that do it, in a transaction that has the lock.
std::string statements(const FoundSchema& found, const Schema& schema,
                       const MigrationReport& report) {
  std::string sql = limit_locks + fmt::format(begin_format, found.number, found.code_digest);
  for (int number = report.before + 1; number <= report.after; ++number) {
    const SqlFile& file = schema.migrations[static_cast<std::size_t>(number) - 1];
    sql += fmt::format("\n-- {}\n{}insert into weir.migration (number, name) values ({}, '{}');\n",
                       file.name, file.text, number, file.name);
  }
  if (report.replaces_code) sql += code_script(schema);
  return sql;
}

// What psql needs to stop at the first error, and to read the script as it was written.
std::string for_psql(const FoundSchema& found, const MigrationReport& report,
                     const std::string& sql) {
  return fmt::format(
      "-- Weir: the schema of database \"{}\" from {} to {}. Run it with psql, as the schema's "
      "owner.\n\\set ON_ERROR_STOP on\n\\encoding UTF8\nbegin;\nset local client_min_messages = "
      "warning;\n{}{}commit;\n",
      found.database, report.before, report.after, migrate_lock, sql);
}

}  // namespace

Result<MigrationPlan> plan_migration(const std::string& url, const Schema& schema) {
  const auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  const auto found = find_schema(**session);
  if (!found) return std::unexpected(found.error());
  if (auto error = refusal(*found, schema)) return std::unexpected(*std::move(error));
  MigrationPlan plan{.report = report_of(*found, schema), .script = {}};
  if (!plan.report.nothing_to_do())
    plan.script = for_psql(*found, plan.report, statements(*found, schema, plan.report));
  return plan;
}

Result<MigrationReport> migrate(const std::string& url, const Schema& schema) {
  const auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  auto found = find_schema(**session);
  if (!found) return std::unexpected(found.error());
  auto refused = refusal(*found, schema);
  if (refused) return std::unexpected(*std::move(refused));
  auto report = report_of(*found, schema);
  if (report.nothing_to_do()) return report;
  const auto done = transact_naming_lockers(**session, [&](pqxx::work& transaction) {
    transaction.exec(migrate_lock);     // waits for another migration to its end
    *found = find_schema(transaction);  // another process may have migrated in the meantime
    refused = refusal(*found, schema);
    report = report_of(*found, schema);
    if (!refused && !report.nothing_to_do()) transaction.exec(statements(*found, schema, report));
  });
  if (!done) return std::unexpected(done.error());
  if (refused) return std::unexpected(*std::move(refused));
  return report;
}

}  // namespace weir::postgres
