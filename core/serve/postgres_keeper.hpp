#pragma once
#include <functional>
#include <memory>

#include <weir/supervisor/child.hpp>

#include "base/log.hpp"
#include "store/local/local_postgres.hpp"

namespace weir {

/// Keeps the private PostgreSQL running while `weir serve` runs: starts it again when its main
/// process ended, however that happened, with growing pauses while that fails, and logs when it
/// ended, why it cannot be started and when it is back. Two exceptions: once `ending` returns true,
/// a server that somebody shut down stays so; and a shutdown in PostgreSQL's "smart" mode, which
/// would wait for the workers' sessions for ever, is made a fast one first.
///
/// The child has a thread of its own, which calls `ending` and ends within seconds when stopped; a
/// start that it has begun is ended by the last user of `server`.
ChildSpec postgres_keeper(std::shared_ptr<LocalPostgres> server, std::function<bool()> ending,
                          std::shared_ptr<Log> log);

}  // namespace weir
