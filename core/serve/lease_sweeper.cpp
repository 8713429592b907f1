#include "serve/lease_sweeper.hpp"

#include <utility>

#include <weir/supervisor/thread_child.hpp>

#include "base/retry_log.hpp"

namespace weir {

ChildSpec lease_sweeper(std::chrono::milliseconds lease, StoreOpener open,
                        std::shared_ptr<Log> log) {
  return thread_child(
      "sweeper",
      [lease, open = std::move(open),
       log = std::move(log)](const StopSignal& stop) -> Result<void> {
        const auto store = open({.listens = false});
        if (!store) return std::unexpected(store.error());
        RetryLog told(*log, "cannot sweep lapsed workers", "lapsed workers are swept again");
        do {
          const auto swept = (*store)->sweep();
          if (swept)
            told.succeeded();
          else
            told.failed(swept.error());
          if (swept && *swept > 0)
            log->warn("{} worker{} did not renew the lease: tasks that ran there start again",
                      *swept, *swept == 1 ? "" : "s");
        } while (!stop.wait_for(lease / 3));
        return {};
      });
}

}  // namespace weir
