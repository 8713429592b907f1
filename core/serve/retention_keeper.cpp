#include "serve/retention_keeper.hpp"

#include <chrono>
#include <utility>

#include <weir/supervisor/thread_child.hpp>

#include "base/retry_log.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds upkeep_interval{5};
constexpr std::chrono::minutes prune_interval{10};
constexpr std::int64_t batch = 500;                       // takes a few milliseconds
constexpr std::chrono::milliseconds between_batches{20};  // so that other work goes first
// Deletes batches until all old runs are deleted, or a stop is requested.
Result<void> prune(MaintenanceStore& store, const Retention& retention, const StopSignal& stop,
                   Log& log) {
  PruneReport total;
  for (bool finished = false; !finished && !stop.wait_for(between_batches);) {
    const auto done = store.prune(retention, total.cursor, batch, false);
    if (!done) return std::unexpected(done.error());
    total.runs += done->runs;
    total.partitions += done->partitions;
    total.cursor = done->cursor;
    finished = done->finished;
  }
  if (total.runs > 0 || total.partitions > 0)
    log.info("retention: {} runs and {} partitions of the journal deleted", total.runs,
             total.partitions);
  return {};
}

}  // namespace

ChildSpec retention_keeper(Retention retention, MaintenanceOpener open, std::shared_ptr<Log> log) {
  return thread_child("retention",
                      [retention = std::move(retention), open = std::move(open),
                       log = std::move(log)](const StopSignal& stop) -> Result<void> {
                        const auto store = open();
                        if (!store) return std::unexpected(store.error());
                        RetryLog told(*log, "cannot do the upkeep of the database",
                                      "the upkeep of the database is done again");
                        do {
                          const auto turn = (*store)->maintain(
                              retention.prunes()
                                  ? std::optional<std::chrono::milliseconds>(prune_interval)
                                  : std::nullopt);
                          const Result<void> done = !turn   ? std::unexpected(turn.error())
                                                    : *turn ? prune(**store, retention, stop, *log)
                                                            : Result<void>();
                          if (done)
                            told.succeeded();
                          else
                            told.failed(done.error());
                        } while (!stop.wait_for(upkeep_interval));
                        return {};
                      });
}

}  // namespace weir
