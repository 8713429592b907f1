#include "store/postgres/lock_limit.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace weir::postgres {
namespace {

constexpr std::string_view lock_not_available = "55P03";

// The oldest transaction that has a table of Weir, which is the most likely one.
constexpr const char* locker_call =
    "select l.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?'),"
    " coalesce(a.state, '?'), coalesce(extract(epoch from now() - a.xact_start)::int, 0)"
    " from pg_catalog.pg_locks l"
    " join pg_catalog.pg_class c on c.oid = l.relation"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " join pg_catalog.pg_database d on d.oid = l.database"
    " left join pg_catalog.pg_stat_activity a on a.pid = l.pid"
    " where n.nspname = 'weir' and d.datname = current_database() and l.granted"
    " and l.pid <> pg_backend_pid()"
    " order by a.xact_start limit 1";

Error locked_error(Session& session) {
  Error error{.code = ErrorCode::unavailable,
              .kind = "locked",
              .message = "somebody keeps a table of schema weir locked",
              .hint = "try again"};
  const auto rows = session.query(locker_call);
  if (!rows || rows->empty()) return error;
  const auto row = (*rows)[0];
  const int pid = row[0].as<int>();
  error.message = fmt::format(
      "process {} of the server (user \"{}\", application \"{}\", {}, its transaction is open for "
      "{} s) keeps a table of schema weir locked",
      pid, row[1].c_str(), row[2].c_str(), row[3].c_str(), row[4].as<int>());
  error.hint = fmt::format(
      "end that transaction, or run: select pg_terminate_backend({}); then try again", pid);
  return error;
}

}  // namespace

Result<void> transact_naming_lockers(Session& session,
                                     const std::function<void(pqxx::work&)>& work) {
  bool is_locked = false;
  const auto done = session.transact([&](pqxx::work& transaction) {
    try {
      work(transaction);
    } catch (const pqxx::sql_error& failure) {
      is_locked = failure.sqlstate() == lock_not_available;
      throw;
    }
  });
  if (!done && is_locked) return std::unexpected(locked_error(session));
  return done;
}

}  // namespace weir::postgres
