#pragma once
#include "base/error.hpp"
#include "store/postgres/lasting_session.hpp"
#include "store/worker_store.hpp"

namespace weir::postgres {

/// Calls weir.exchange: WorkerStore::exchange(), errors included.
Result<ExchangeReply> exchange(LastingSession& session, const ExchangeRequest& request);

}  // namespace weir::postgres
