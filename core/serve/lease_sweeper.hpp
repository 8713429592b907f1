#pragma once
#include <chrono>
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "serve/store_opener.hpp"

namespace weir {

/// The child that looks for workers whose lease lapsed, on whatever host they were (L3): at once,
/// and then twice in a `lease`. One for the process, so that no worker has to. A database that is
/// away is told once, and is no failure.
ChildSpec lease_sweeper(std::chrono::milliseconds lease, StoreOpener open,
                        std::shared_ptr<Log> log);

}  // namespace weir
