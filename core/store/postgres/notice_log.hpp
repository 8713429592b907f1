#pragma once
#include <memory>

#include "base/log.hpp"

namespace weir::postgres {

/// From now on warnings that database servers send to sessions of this process are lines of `log`
/// at level info, and what libpqxx remarks at level debug. Before, warnings go to stderr.
/// [any thread]
void log_notices(std::shared_ptr<Log> log);

}  // namespace weir::postgres
