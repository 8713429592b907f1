#include "bench/engine/latency.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/engine/load.hpp"
#include "bench/required.hpp"

namespace weir::bench {

using std::chrono::microseconds;
using std::chrono::milliseconds;

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

Figures latency_at(const std::string& url, double per_s, std::size_t runs) {
  constexpr std::chrono::duration<double> interval = milliseconds(5);
  const auto batch = std::max<std::size_t>(1, static_cast<std::size_t>(per_s * interval.count()));
  const std::chrono::duration<double> pause(static_cast<double>(batch) / per_s);
  Load load(url, runs / batch + 1, batch);
  const auto begin = Clock::now() + milliseconds(50);
  return load.measure([&](std::size_t number) {
    const auto after =
        std::chrono::duration_cast<Clock::duration>(pause * static_cast<double>(number));
    std::this_thread::sleep_until(begin + after);
    return begin + after;
  });
}

Figures latency_at_full_load(const std::string& url, std::size_t runs) {
  constexpr std::size_t batch = 100, batches_ahead = 4;
  Load load(url, runs / batch + 1, batch);
  return load.measure([&](std::size_t number) {
    constexpr std::size_t ahead = batches_ahead * Load::clients;
    if (number >= ahead) load.wait_for_begin(number - ahead);
    return Clock::now();
  });
}

}  // namespace weir::bench
