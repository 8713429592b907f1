#include "store/postgres/session.hpp"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include "store/postgres/call_watch.hpp"
#include "store/postgres/second_client.hpp"
#include "store/postgres/sql_error.hpp"

namespace weir::postgres {
namespace {

constexpr int server_version_min = 140'000;

// Whatever the server, the database or the role sets otherwise: what the SQL of this program and its
// readers rely on. JIT and one-time plans make batch statements ten to a hundred times slower.
// Committed is what the server has on its disk, or more. The last column is the server's process.
constexpr const char* session_settings =
    "set application_name = 'weir'; set client_encoding = 'UTF8'; "
    "set client_min_messages = warning; set exit_on_error = off; set search_path = pg_catalog; "
    "set standard_conforming_strings = on; set array_nulls = on; set transform_null_equals = off; "
    "set timezone = 'UTC'; set datestyle = 'ISO, MDY'; set intervalstyle = 'postgres'; "
    "set bytea_output = 'hex'; set extra_float_digits = 1; set gin_fuzzy_search_limit = 0; "
    "set lock_timeout = 0; set idle_session_timeout = 0; "
    "set idle_in_transaction_session_timeout = 0; "
    "set default_transaction_isolation = 'read committed'; "
    "set default_transaction_read_only = off; set default_transaction_deferrable = off; "
    "set row_security = on; set check_function_bodies = on; set plpgsql.extra_errors = 'none'; "
    "set jit = off; set plan_cache_mode = force_generic_plan; set enable_indexscan = on; "
    "set enable_indexonlyscan = on; set enable_bitmapscan = on; set enable_nestloop = on; "
    "set enable_sort = on; "
    "select set_config('synchronous_commit', 'on', false) "
    "where current_setting('synchronous_commit') = 'off'; "
    "select set_config(s.name, 'lz4', false) from pg_settings s "  // pglz takes as long as the rest
    "where s.name = 'default_toast_compression' and 'lz4' = any (s.enumvals); "
    "select set_config(s.name, s.value, false) "
    "from (values ('transaction_timeout', '0'), ('restrict_nonsystem_relation_kind', '')) "
    "as s(name, value) where current_setting(s.name, true) is not null; "
    "select pg_backend_pid()";

#if PQXX_VERSION_MAJOR >= 7
pqxx::result run_prepared(pqxx::transaction_base& transaction, const std::string& name,
                          const Params& params, const BinaryParams& binary) {
  pqxx::params all;
  all.reserve(params.size() + binary.size());
  for (const auto& param : params) all.append(param);
  for (const std::string& param : binary)
    all.append(std::basic_string_view<std::byte>(reinterpret_cast<const std::byte*>(param.data()),
                                                 param.size()));
  return transaction.exec(pqxx::prepped{name}, all);
}

void never_reconnect(pqxx::connection&) {}
void disconnect(pqxx::connection&) noexcept {}
#else
pqxx::result run_prepared(pqxx::transaction_base& transaction, const std::string& name,
                          const Params& params, const BinaryParams& binary) {
  std::vector<const char*> texts;
  texts.reserve(params.size());
  for (const auto& param : params) texts.push_back(param ? param->c_str() : nullptr);
  const std::vector<pqxx::binarystring> bytes(binary.begin(), binary.end());
  return transaction.exec_prepared(name,
                                   pqxx::prepare::make_dynamic_params(texts.begin(), texts.end()),
                                   pqxx::prepare::make_dynamic_params(bytes.begin(), bytes.end()));
}

// Otherwise it would reconnect silently and lose session state. The call is deprecated because
// version 7 never reconnects.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void never_reconnect(pqxx::connection& connection) { connection.inhibit_reactivation(true); }
#pragma GCC diagnostic pop

// Otherwise each receiver would send an UNLISTEN when it ends, whose result version 6 leaks on a
// connection that is broken. Version 7 does not leak it.
void disconnect(pqxx::connection& connection) noexcept { connection.disconnect(); }
#endif

// Whether transactions of one connection run in different sessions of the server, or those of two
// connections in the same one: as with PgBouncer's pool_mode = transaction.
bool is_shared(pqxx::connection& connection, const std::string& connection_string) {
  const auto process = [&] {
    return pqxx::nontransaction(connection).exec("select pg_backend_pid()")[0][0].as<int>();
  };
  SecondClient other(connection_string);
  const int first = process();
  for (int time = 0; time < 3; ++time) {
    const auto of_other = other.server_process();
    if (of_other == first || process() != first) return true;
    if (!of_other) break;
  }
  return false;
}

// The server says in its language that the result of a prepared statement has another type now; what
// else this SQLSTATE may mean comes again.
bool may_be_stale(const Error& error) {
  return error.kind == stale_plan || error.kind == "sql_0A000";
}

std::string name_of(const char* sql) {
  return fmt::format("weir_{}", static_cast<const void*>(sql));
}

}  // namespace

template <class Body>
auto Session::guarded(Body&& body) -> Result<decltype(body())> {
  const CallWatch::Call call;
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return {};
    } else {
      return body();
    }
  } catch (const pqxx::broken_connection& broken) {
    return std::unexpected(connection_error(url_, broken.what()));
  } catch (const pqxx::in_doubt_error& in_doubt) {
    return std::unexpected(Error{.code = ErrorCode::in_doubt,
                                 .kind = "in_doubt",
                                 .message = in_doubt.what(),
                                 .hint = "check whether it happened before you repeat it"});
  } catch (const pqxx::statement_completion_unknown& unknown) {
    return std::unexpected(sql_error("40003", unknown.what()));
  } catch (
      const pqxx::transaction_rollback& rolled_back) {  // version 6 does not pass on the SQLSTATE
    return std::unexpected(sql_error("40000", rolled_back.what()));
  } catch (const pqxx::insufficient_privilege& refused) {
    return std::unexpected(sql_error("42501", refused.what()));
  } catch (const pqxx::sql_error& failure) {
    if (!is_open()) return std::unexpected(connection_error(url_, failure.what()));
    // The statement was prepared, or is, in a session of somebody else.
    if (pooled_ && (failure.sqlstate() == "26000" || failure.sqlstate() == "42P05"))
      return std::unexpected(shared_session_error(url_));
    return std::unexpected(sql_error(failure.sqlstate(), failure.what()));
  } catch (const std::exception& failure) {
    return std::unexpected(Error{.code = ErrorCode::internal,
                                 .kind = "database_client",
                                 .message = failure.what(),
                                 .hint = {}});
  }
}

Result<std::unique_ptr<Session>> Session::open(const std::string& url, NetworkLimits limits) {
  const auto connection_string = with_limits(url, limits);
  if (!connection_string) return std::unexpected(connection_string.error());
  std::unique_ptr<Session> session(new Session(url));
  try {
    const CallWatch::Call call;
    session->connection_ = std::make_unique<pqxx::connection>(*connection_string);
    // What the server says of the connect itself, such as a collation of another version, has gone to
    // stderr: libpqxx lets nobody in between.
    session->notices_.emplace(*session->connection_);
    never_reconnect(*session->connection_);
  } catch (const std::exception& failure) {
    return std::unexpected(connection_error(url, failure.what()));
  }
  if (const int version = session->connection_->server_version(); version < server_version_min)
    return std::unexpected(Error{.code = ErrorCode::unavailable,
                                 .kind = "server_too_old",
                                 .message = fmt::format("the database at {} is PostgreSQL {}",
                                                        without_password(url), version / 10'000),
                                 .hint = "Weir needs PostgreSQL 14 or newer"});
  if (const auto done = session->set_up(*connection_string); !done)
    return std::unexpected(done.error());
  return session;
}

int Session::apply_settings() {
  pqxx::nontransaction transaction(*connection_);
  transaction.exec("set statement_timeout = 0");  // alone: what follows may take longer
  return transaction.exec(session_settings)[0][0].as<int>();
}

// A pooler makes up the process id of the server that it tells a client.
Result<void> Session::set_up(const std::string& connection_string) {
  const auto shared = guarded([&] {
    pooled_ = apply_settings() != connection_->backendpid();
    return pooled_ && is_shared(*connection_, connection_string);
  });
  if (!shared) return std::unexpected(shared.error());
  return *shared ? std::unexpected(shared_session_error(url_)) : Result<void>();
}

void Session::drop() noexcept {
  if (connection_->sock() >= 0) ::shutdown(connection_->sock(), SHUT_RDWR);
  disconnect(*connection_);
}

bool Session::is_still_open() noexcept {
  try {
    pollfd socket{.fd = connection_->sock(), .events = POLLIN, .revents = 0};
    while (is_open() && ::poll(&socket, 1, 0) > 0) connection_->get_notifs();
    return is_open();
  } catch (const std::exception&) {
    return false;
  }
}

Result<pqxx::result> Session::query(const char* sql, const Params& params,
                                    const BinaryParams& binary) {
  auto rows = query_once(sql, params, binary);
  if (rows || !may_be_stale(rows.error())) return rows;
  // Nothing was written. The second time it is planned anew.
  const auto forgotten = guarded([&] {
    if (prepared_.erase(sql) > 0) connection_->unprepare(name_of(sql));
  });
  if (!forgotten) return std::unexpected(forgotten.error());
  return query_once(sql, params, binary);
}

Result<pqxx::result> Session::query_once(const char* sql, const Params& params,
                                         const BinaryParams& binary) {
  return guarded([&] {
    const std::string name = name_of(sql);
    if (!prepared_.contains(sql)) {
      connection_->prepare(name, sql);
      prepared_.insert(sql);
    }
    pqxx::nontransaction transaction(*connection_);
    return run_prepared(transaction, name, params, binary);
  });
}

Result<void> Session::transact(const std::function<void(pqxx::work&)>& work) {
  return guarded([&] {
    pqxx::work transaction(*connection_);
    work(transaction);
    transaction.commit();
  });
}

Result<void> Session::use(const std::function<void(pqxx::connection&)>& body) {
  return guarded([&] { body(*connection_); });
}

}  // namespace weir::postgres
