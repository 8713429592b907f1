#include "store/postgres/schema_state.hpp"

#include <fmt/format.h>

#include "store/postgres/found_schema.hpp"
#include "store/postgres/lock_limit.hpp"

namespace weir::postgres {
namespace {

constexpr const char* in_catalogs =
    "select current_database(), pg_encoding_to_char(d.encoding), current_user, n.oid is not null"
    " and m.oid is not null and c.oid is not null, coalesce(has_schema_privilege(n.oid, 'usage')"
    " and has_table_privilege(m.oid, 'select') and has_table_privilege(c.oid, 'select'), false)"
    " from pg_catalog.pg_database d"
    " left join pg_catalog.pg_namespace n on n.nspname = 'weir'"
    " left join pg_catalog.pg_class m on m.relnamespace = n.oid and m.relname = 'migration'"
    " left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = 'schema_code'"
    " where d.datname = current_database()";

// Columns that an older schema does not have are read as null.
constexpr const char* in_schema =
    "select (select coalesce(max(number), 0) from weir.migration), coalesce(sha256, ''),"
    " coalesce((to_jsonb(c) ->> 'oldest_program')::int, 0)"
    " from (select) as one left join weir.schema_code c on true";

std::optional<Error> lack_of(const FoundSchema& found, const Schema& schema) {
  if (auto error = access_error(found)) return error;
  if (found.number == 0)
    return Error{.code = ErrorCode::unavailable,
                 .kind = "not_migrated",
                 .message = fmt::format("database \"{}\" has no schema weir", found.database),
                 .hint = "run: weir migrate"};
  if (found.number < schema.oldest_database)
    return Error{.code = ErrorCode::unavailable,
                 .kind = "schema_older",
                 .message = fmt::format(
                     "the schema of database \"{}\" has number {}, this program needs {} or later",
                     found.database, found.number, schema.oldest_database),
                 .hint = "run: weir migrate"};
  if (schema.number() < found.oldest_program) return newer_error(found, schema);
  return std::nullopt;
}

std::string remark_of(const FoundSchema& found, const Schema& schema) {
  if (found.number > schema.number())
    return fmt::format(
        "database \"{}\" has schema {} of a newer Weir, this program has {}: it works, without "
        "what "
        "is new",
        found.database, found.number, schema.number());
  if (found.number < schema.number())
    return fmt::format(
        "database \"{}\" has schema {} of an older Weir, this program has {}: it works, and \"weir "
        "migrate\" brings what is new",
        found.database, found.number, schema.number());
  if (found.code_digest != schema.code_digest())
    return fmt::format(
        "database \"{}\" has schema {} with other functions than this program's: \"weir migrate\" "
        "replaces them",
        found.database, found.number);
  return {};
}

}  // namespace

FoundSchema find_schema(pqxx::transaction_base& transaction) {
  const pqxx::result row = transaction.exec(in_catalogs);
  FoundSchema found{.database = row[0][0].as<std::string>(),
                    .encoding = row[0][1].as<std::string>(),
                    .user = row[0][2].as<std::string>(),
                    .exists = row[0][3].as<bool>(),
                    .may_read = row[0][4].as<bool>(),
                    .number = 0,
                    .code_digest = {},
                    .oldest_program = 0};
  if (!found.exists || !found.may_read) return found;
  transaction.exec(limit_locks);
  const pqxx::result numbers = transaction.exec(in_schema);
  found.number = numbers[0][0].as<int>();
  found.code_digest = numbers[0][1].as<std::string>();
  found.oldest_program = numbers[0][2].as<int>();
  return found;
}

Result<FoundSchema> find_schema(Session& session) {
  FoundSchema found;
  const auto read = transact_naming_lockers(
      session, [&](pqxx::work& transaction) { found = find_schema(transaction); });
  if (!read) return std::unexpected(read.error());
  return found;
}

std::optional<Error> access_error(const FoundSchema& found) {
  if (found.encoding != "UTF8")
    return Error{.code = ErrorCode::unavailable,
                 .kind = "not_utf8",
                 .message = fmt::format("database \"{}\" has the encoding {}, and Weir needs UTF8",
                                        found.database, found.encoding),
                 .hint = "use another one: createdb --encoding UTF8 --template template0 NAME"};
  if (found.exists && !found.may_read)
    return Error{
        .code = ErrorCode::unavailable,
        .kind = "no_permission",
        .message = fmt::format("the user \"{}\" may not use schema weir of database \"{}\"",
                               found.user, found.database),
        .hint = fmt::format(
            "its owner runs: grant weir_reader, or weir_client, or weir_worker, to \"{}\"",
            found.user)};
  return std::nullopt;
}

Error newer_error(const FoundSchema& found, const Schema& schema) {
  return {
      .code = ErrorCode::conflict,
      .kind = "database_newer",
      .message = fmt::format("the schema of database \"{}\" has number {}, this program has {}{}",
                             found.database, found.number, schema.number(),
                             schema.number() < found.oldest_program
                                 ? fmt::format(", and the schema needs programs with {} or later",
                                               found.oldest_program)
                                 : ""),
      .hint = "a newer Weir has migrated it: use that one or a later one"};
}

Result<SchemaState> schema_state(const std::string& url, const Schema& schema) {
  const auto session = Session::open(url);
  if (!session) return std::unexpected(session.error());
  const auto found = find_schema(**session);
  if (!found) return std::unexpected(found.error());
  SchemaState state{.database = found->number,
                    .program = schema.number(),
                    .same_code = found->code_digest == schema.code_digest(),
                    .lack = lack_of(*found, schema),
                    .remark = {}};
  if (!state.lack) state.remark = remark_of(*found, schema);
  return state;
}

}  // namespace weir::postgres
