#include "serve/worker_child.hpp"

#include <utility>

#include <weir/supervisor/thread_child.hpp>

namespace weir {
namespace {

// A worker from one start of the child to its end. Shared by its thread and by the supervising
// thread, which may drain it.
struct WorkerLife {
  WorkerLife(const WorkerOptions& options, FlowRegistry& registry,
             std::unique_ptr<WorkerStore> opened, std::shared_ptr<Log> log)
      : store(std::move(opened)), worker(options, registry, *store, std::move(log)) {}
  std::unique_ptr<WorkerStore> store;
  Worker worker;
};

}  // namespace

ChildSpec worker_child(std::string id, WorkerOptions options, std::chrono::milliseconds stop_grace,
                       FlowRegistry& registry, StoreOpener open,
                       std::shared_ptr<LiveWorkers> workers, std::shared_ptr<Log> log) {
  const Shutdown shutdown = Shutdown::after(options.drain_timeout + stop_grace);
  return {.id = std::move(id),
          .start = [options = std::move(options), &registry, open = std::move(open),
                    workers = std::move(workers),
                    log = std::move(log)](ChildEnd end) -> Result<std::shared_ptr<Child>> {
            auto store = open({.listens = true});
            if (!store) return std::unexpected(std::move(store.error()));
            const auto life =
                std::make_shared<WorkerLife>(options, registry, *std::move(store), log);
            const auto body = [life, workers](const StopSignal&) -> Result<void> {
              const LiveWorkers::Place place(*workers, life->worker);
              const auto ended = life->worker.run();
              workers->count_handlers_left(life->worker.handlers_left());
              if (!ended) return std::unexpected(ended.error());
              return {};
            };
            return std::make_shared<ThreadChild>(std::move(end), body,
                                                 [life] { life->worker.drain(); });
          },
          .restart = Restart::permanent,
          .shutdown = shutdown,
          .name = {}};
}

}  // namespace weir
