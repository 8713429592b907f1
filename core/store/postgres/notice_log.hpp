#pragma once
#include <memory>

#include "base/log.hpp"

namespace weir::postgres {

/// From now on notices and warnings that database servers send to sessions of this process are
/// lines of `log`: warnings at level info, the others at level debug. Before, they go to stderr.
/// [any thread]
void log_notices(std::shared_ptr<Log> log);

}  // namespace weir::postgres
