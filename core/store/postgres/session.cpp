#include "store/postgres/session.hpp"

#include <fmt/core.h>
#include <poll.h>

#include "store/postgres/sql_error.hpp"

namespace weir::postgres {
namespace {

constexpr int server_version_min = 140'000;

#if PQXX_VERSION_MAJOR >= 7
pqxx::result run_prepared(pqxx::transaction_base& transaction, const std::string& name,
                          const Params& params) {
  pqxx::params all;
  all.reserve(params.size());
  for (const auto& param : params) all.append(param);
  return transaction.exec(pqxx::prepped{name}, all);
}

void never_reconnect(pqxx::connection&) {}
#else
pqxx::result run_prepared(pqxx::transaction_base& transaction, const std::string& name,
                          const Params& params) {
  std::vector<const char*> all;
  all.reserve(params.size());
  for (const auto& param : params) all.push_back(param ? param->c_str() : nullptr);
  return transaction.exec_prepared(name,
                                   pqxx::prepare::make_dynamic_params(all.begin(), all.end()));
}

// Otherwise it would reconnect silently and lose session state. The call is deprecated because
// version 7 never reconnects.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
void never_reconnect(pqxx::connection& connection) { connection.inhibit_reactivation(true); }
#pragma GCC diagnostic pop
#endif

std::string name_of(const char* sql) {
  return fmt::format("weir_{}", static_cast<const void*>(sql));
}

}  // namespace

template <class Body>
auto Session::guarded(Body&& body) -> Result<decltype(body())> {
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
    return std::unexpected(sql_error(failure.sqlstate(), failure.what()));
  } catch (const std::exception& failure) {
    return std::unexpected(Error{.code = ErrorCode::internal,
                                 .kind = "database_client",
                                 .message = failure.what(),
                                 .hint = {}});
  }
}

Result<std::unique_ptr<Session>> Session::open(const std::string& url) {
  std::unique_ptr<Session> session(new Session(url));
  const auto opened = [&]() -> Result<void> {
    try {
      session->connection_ = std::make_unique<pqxx::connection>(url);
      never_reconnect(*session->connection_);
      return {};
    } catch (const std::exception& failure) {
      return std::unexpected(connection_error(url, failure.what()));
    }
  }();
  if (!opened) return std::unexpected(opened.error());
  if (const int version = session->connection_->server_version(); version < server_version_min)
    return std::unexpected(Error{.code = ErrorCode::unavailable,
                                 .kind = "server_too_old",
                                 .message = fmt::format("the database at {} is PostgreSQL {}",
                                                        without_password(url), version / 10'000),
                                 .hint = "Weir needs PostgreSQL 14 or newer"});
  const auto set = session->guarded([&] {
    pqxx::nontransaction transaction(*session->connection_);
    // JIT and one-time plans make batch statements ten to a hundred times slower.
    transaction.exec(
        "set application_name = 'weir'; set jit = off; set plan_cache_mode = force_generic_plan; "
        "set client_min_messages = warning; set timezone = 'UTC'");
  });
  if (!set) return std::unexpected(set.error());
  return session;
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

Result<pqxx::result> Session::query(const char* sql, const Params& params) {
  return guarded([&] {
    const std::string name = name_of(sql);
    if (!prepared_.contains(sql)) {
      connection_->prepare(name, sql);
      prepared_.insert(sql);
    }
    pqxx::nontransaction transaction(*connection_);
    return run_prepared(transaction, name, params);
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
