#include "bench/engine/latency.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/engine/fresh.hpp"
#include "bench/required.hpp"

namespace weir::bench {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

double milliseconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

void wait_until_idle(postgres::Session& admin) {
  while (required(admin.query("select count(*) from weir.worker where idle"))[0][0].as<int>() == 0)
    std::this_thread::sleep_for(milliseconds(5));
}

constexpr std::size_t clients = 2;

// Starts the batches that fall to one client: each `clients`-th one.
void start_by_clock(RunStore& store, std::size_t client, std::size_t batch,
                    const std::vector<Clock::time_point>& due) {
  for (std::size_t first = client * batch; first < due.size(); first += clients * batch) {
    const std::size_t end = std::min(first + batch, due.size());
    std::vector<Json> inputs;
    for (std::size_t run = first; run < end; ++run)
      inputs.push_back(Json::number(static_cast<std::int64_t>(run)));
    std::this_thread::sleep_until(due[first]);
    required(store.start(EmptyFlow::slug, inputs, {}));
  }
}

}  // namespace

Figures idle_latency(const std::string& url, std::size_t runs) {
  TimedFlow flow(runs);
  Fresh fresh(url, flow.module());
  fresh.serving.begin();
  wait_until_idle(*fresh.admin);
  std::vector<double> latencies;
  for (std::size_t run = 0; run < runs; ++run) {
    const Json input = Json::number(static_cast<std::int64_t>(run));
    const auto began = Clock::now();
    const std::string id = required(fresh.store->start(EmptyFlow::slug, {input}, {})).front().id;
    while (!flow.began(run)) std::this_thread::sleep_for(microseconds(50));
    latencies.push_back(milliseconds_between(began, *flow.began(run)));
    while (required(fresh.store->summary(id)).status != "completed")
      std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(milliseconds(2));
  }
  return latency_figures(latencies);
}

Figures latency_at(const std::string& url, double per_s) {
  constexpr std::chrono::duration<double> interval = milliseconds(5);
  constexpr double seconds = 3;
  const auto batch = std::max<std::size_t>(1, static_cast<std::size_t>(per_s * interval.count()));
  const auto batches = static_cast<std::size_t>(seconds * per_s / static_cast<double>(batch)) + 1;
  const std::chrono::duration<double> pause(static_cast<double>(batch) / per_s);

  TimedFlow flow(batch * batches);
  Fresh fresh(url, flow.module());
  const auto second_store = required(postgres::open_run_store(url));
  fresh.serving.begin();
  wait_until_idle(*fresh.admin);
  const auto begin = Clock::now() + milliseconds(50);
  std::vector<Clock::time_point> due;
  for (std::size_t i = 0; i < batches; ++i)
    due.insert(due.end(), batch,
               begin + std::chrono::duration_cast<Clock::duration>(pause * static_cast<double>(i)));
  std::thread other([&] { start_by_clock(*second_store, 1, batch, due); });
  start_by_clock(*fresh.store, 0, batch, due);
  other.join();

  std::vector<double> latencies;
  for (std::size_t run = 0; run < due.size(); ++run) {
    while (!flow.began(run)) std::this_thread::sleep_for(milliseconds(1));
    latencies.push_back(milliseconds_between(due[run], *flow.began(run)));
  }
  Figures figures = latency_figures(latencies);
  figures["offered_per_s"] = per_s;
  return figures;
}

}  // namespace weir::bench
