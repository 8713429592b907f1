#pragma once
#include <functional>

#include <pqxx/pqxx>

#include "base/error.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {

/// How long a migration, and a look at the schema, wait for each lock: whatever asks for the same table
/// queues up behind them.
inline constexpr const char* limit_locks = "set local lock_timeout = '5s';\n";

/// As Session::transact(). The error of a transaction that limits its locks and did not get one is
/// unavailable, kind "locked", and names who keeps tables of Weir locked.
Result<void> transact_naming_lockers(Session& session,
                                     const std::function<void(pqxx::work&)>& work);

}  // namespace weir::postgres
