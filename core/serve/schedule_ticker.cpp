#include "serve/schedule_ticker.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <weir/supervisor/thread_child.hpp>

#include "base/retry_log.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds poll_interval{
    30'000};                              // in case a notification, which is a hint, is missing
constexpr milliseconds retry_first{100};  // after the database did not answer
constexpr milliseconds retry_max{2'000};

milliseconds until_next(const TickReport& tick) {
  if (!tick.next_at) return poll_interval;
  return std::clamp(std::chrono::ceil<milliseconds>(*tick.next_at - tick.now), milliseconds(1),
                    poll_interval);
}

void run_ticker(MaintenanceStore& store, const StopSignal& stop, Log& log) {
  RetryLog told(log, "cannot check the schedules", "the schedules are checked again");
  milliseconds pause = retry_first;
  while (!stop.stop_requested()) {
    const auto tick = store.tick();
    if (tick) {
      told.succeeded();
      if (tick->started > 0) log.debug("schedules started {} runs", tick->started);
      pause = retry_first;
      store.wait(until_next(*tick));
      continue;
    }
    told.failed(tick.error());
    store.wait(pause);
    pause = std::min(2 * pause, retry_max);
  }
}

}  // namespace

ChildSpec schedule_ticker(MaintenanceOpener open, std::shared_ptr<Log> log) {
  return {.id = "schedules",
          .start = [open = std::move(open),
                    log = std::move(log)](ChildEnd end) -> Result<std::shared_ptr<Child>> {
            auto opened = open();
            if (!opened) return std::unexpected(std::move(opened.error()));
            const std::shared_ptr<MaintenanceStore> store = *std::move(opened);
            return std::make_shared<ThreadChild>(
                std::move(end),
                [store, log](const StopSignal& stop) -> Result<void> {
                  run_ticker(*store, stop, *log);
                  return {};
                },
                [store] { store->wake(); });
          },
          .restart = Restart::permanent,
          .shutdown = Shutdown::after(std::chrono::seconds(5)),
          .name = {}};
}

}  // namespace weir
