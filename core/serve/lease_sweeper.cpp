#include "serve/lease_sweeper.hpp"

#include <utility>

#include <weir/supervisor/thread_child.hpp>

namespace weir {

ChildSpec lease_sweeper(std::chrono::milliseconds lease, StoreOpener open,
                        std::shared_ptr<Log> log) {
  return thread_child(
      "sweeper",
      [lease, open = std::move(open),
       log = std::move(log)](const StopSignal& stop) -> Result<void> {
        const auto store = open({.listens = false});
        if (!store) return std::unexpected(store.error());
        bool away = false;
        do {
          const auto swept = (*store)->sweep();
          if (!swept && !away)
            log->warn("cannot sweep lapsed workers, retrying: {}", to_string(swept.error()));
          away = !swept;
          if (swept && *swept > 0)
            log->warn("{} worker{} did not renew the lease: tasks that ran there start again",
                      *swept, *swept == 1 ? "" : "s");
        } while (!stop.wait_for(lease / 3));
        return {};
      });
}

}  // namespace weir
