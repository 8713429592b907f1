#pragma once
#include <weir/client.hpp>

#include "store/run_store.hpp"

namespace weir {

/// A client that stands on a store somebody else owns, and which nobody else uses while a thread is
/// at work here. It cannot listen.
Client client_on(RunStore& store);

}  // namespace weir
