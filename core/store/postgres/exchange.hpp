#pragma once
#include "base/error.hpp"
#include "store/postgres/reconnecting_session.hpp"
#include "store/worker_store.hpp"

namespace weir::postgres {

/// Calls weir.exchange: WorkerStore::exchange(), errors included.
Result<ExchangeReply> exchange(ReconnectingSession& session, const ExchangeRequest& request);

}  // namespace weir::postgres
