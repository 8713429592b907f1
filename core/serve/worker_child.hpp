#pragma once
#include <chrono>
#include <memory>
#include <string>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "registry/flow_registry.hpp"
#include "serve/live_workers.hpp"
#include "serve/store_opener.hpp"
#include "worker/worker.hpp"

namespace weir {

/// A worker as a child: each start makes a Worker with a thread and a session of its own. The child
/// ends with the error that the worker's run() returned; a stop drains it.
///
/// Only the first start connects before it returns: from then on a database that is away is not a
/// failure (L6). The child may take its drain_timeout plus `stop_grace` to stop. `registry` must
/// outlive it, even when it is abandoned.
ChildSpec worker_child(std::string id, WorkerOptions options, std::chrono::milliseconds stop_grace,
                       FlowRegistry& registry, StoreOpener open,
                       std::shared_ptr<LiveWorkers> workers, std::shared_ptr<Log> log);

}  // namespace weir
