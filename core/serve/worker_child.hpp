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

/// A worker as a child: each of its lives is a Worker on a thread of its own with a session of its
/// own. It ends with the error that its run() returned; a stop drains it.
///
/// Only the first life connects before its start returns: from then on a database that is away is
/// no failure (L6). It may take its drain_timeout and `farewell` to stop. `registry` must outlive
/// it, also when it is abandoned.
ChildSpec worker_child(std::string id, WorkerOptions options, std::chrono::milliseconds farewell,
                       FlowRegistry& registry, StoreOpener open,
                       std::shared_ptr<LiveWorkers> workers, std::shared_ptr<Log> log);

}  // namespace weir
