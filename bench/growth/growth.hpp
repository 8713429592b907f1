#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "bench/growth/options.hpp"
#include "bench/growth/table.hpp"
#include "run/ids.hpp"
#include "store/local/local_postgres.hpp"
#include "store/postgres/session.hpp"

namespace weir::bench {

/// 1-step and 3-step runs, drained beside none and beside `history` finished runs.
std::vector<Table> measure_history(const LocalPostgres& server, const GrowthOptions& options);

/// Claims, and a worker's memory, with 10 and with `parked` runs that wait for a signal.
Table measure_parked(const LocalPostgres& server, const GrowthOptions& options);

/// Claims with one version and with `versions` versions that have as many runs together.
Table measure_versions(const LocalPostgres& server, const GrowthOptions& options);

/// 1-step runs with outputs of 100 bytes, 10 kB and 1 MB, and the memory of their worker.
Table measure_outputs(const LocalPostgres& server, const GrowthOptions& options);

/// 1-step runs of one flow, drained by 1, 2, 4 and 8 processes.
Table measure_workers(const LocalPostgres& server, const GrowthOptions& options);

/// One map whose elements need a processor, by 1 and 2 processes with one slot each.
Table measure_processors(const LocalPostgres& server, const GrowthOptions& options);

/// What a call that claims 8 runs of these versions costs; there must be runs for all calls. They
/// are claimable again afterwards. `admin` must be the only session of that database.
Figures claim_cost(postgres::Session& admin, const std::string& url,
                   const std::vector<VersionId>& versions, std::size_t calls);

/// The URL of a database of that server, which is made if necessary.
std::string database_url(const LocalPostgres& server, const std::string& name);

constexpr double mebibyte = 1024 * 1024;

/// Makes the flow "bench" known; its version.
VersionId register_bench_flow(const std::string& url);

/// Starts so many runs of a flow, each with the input {"n": 1}.
void start_runs(const std::string& url, const std::string& flow, std::size_t count);

/// Waits until a query returns a true value, asking every 20 ms.
void wait_until(postgres::Session& admin, const char* query);

}  // namespace weir::bench
