#pragma once
#include <weir/client.hpp>

#include "store/run_store.hpp"

namespace weir {

/// A client that uses a store owned by the caller: for what a client does beyond one call of the
/// store, which is to start with a checked input and to wait. Nothing else may use the store while
/// a call of this client is running. It cannot listen.
Client client_on(RunStore& store);

}  // namespace weir
