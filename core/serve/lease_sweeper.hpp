#pragma once
#include <chrono>
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "serve/store_opener.hpp"

namespace weir {

/// The child that sweeps workers whose lease has lapsed, on any host (L3): at the start, and then
/// three times in a `lease`. The process needs only one, so that its workers need not sweep. A database
/// that is away is logged (RetryLog), and is not a failure.
ChildSpec lease_sweeper(std::chrono::milliseconds lease, StoreOpener open,
                        std::shared_ptr<Log> log);

}  // namespace weir
