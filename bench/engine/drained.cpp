#include "bench/engine/drained.hpp"

#include <chrono>
#include <thread>

#include "bench/engine/fresh.hpp"
#include "bench/engine/meter.hpp"
#include "bench/required.hpp"

namespace weir::bench {

Figures drained(const std::string& url, EmptyFlow& flow, std::size_t runs, std::size_t workers) {
  const std::size_t tasks = runs * flow.tasks_a_run();
  Fresh fresh(url, flow.module(), workers);
  fresh.start(runs, flow.input());
  settle(*fresh.admin);
  const Meter meter(*fresh.admin);
  fresh.serving.begin();
  // The database, which has two processors to share, is not asked before it can be over.
  while (flow.begun() < tasks) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  while (required(fresh.admin->query("select exists (select from weir.open_run)"))[0][0].as<bool>())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return meter.figures(static_cast<double>(tasks));
}

Figures started(const std::string& url, std::size_t runs) {
  const EmptyFlow flow(1);
  const Fresh fresh(url, flow.module());
  settle(*fresh.admin);
  const Meter meter(*fresh.admin);
  fresh.start(runs, flow.input());
  return meter.figures(static_cast<double>(runs));
}

}  // namespace weir::bench
