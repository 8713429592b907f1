#include "bench/engine/load.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "bench/required.hpp"

namespace weir::bench {

using std::chrono::milliseconds;

double milliseconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

void wait_until_idle(postgres::Session& admin) {
  while (required(admin.query("select count(*) from weir.worker where idle"))[0][0].as<int>() == 0)
    std::this_thread::sleep_for(milliseconds(5));
}

Load::Load(const std::string& url, std::size_t batches, std::size_t runs_a_batch)
    : batch_(runs_a_batch),
      since_(batches),
      flow_(batches * runs_a_batch),
      fresh_(url, flow_.module()),
      second_store_(required(postgres::open_run_store(url))) {
  fresh_.serving.begin();
  wait_until_idle(*fresh_.admin);
}

Figures Load::measure(const Wait& wait) {
  std::thread other([&] { start_as(1, *second_store_, wait); });
  start_as(0, *fresh_.store, wait);
  other.join();

  std::vector<double> latencies;
  Clock::time_point last = since_.front();
  for (std::size_t run = 0; run < runs(); ++run) {
    while (!flow_.began(run)) std::this_thread::sleep_for(milliseconds(1));
    latencies.push_back(milliseconds_between(since_[run / batch_], *flow_.began(run)));
    last = std::max(last, *flow_.began(run));
  }
  Figures figures = latency_figures(latencies);
  figures["per_s"] = 1e3 * static_cast<double>(runs()) / milliseconds_between(since_.front(), last);
  return figures;
}

void Load::start_as(std::size_t client, RunStore& store, const Wait& wait) {
  for (std::size_t batch = client; batch < since_.size(); batch += clients) {
    std::vector<Json> inputs;
    for (std::size_t i = 0; i < batch_; ++i)
      inputs.push_back(Json::number(static_cast<std::int64_t>(batch * batch_ + i)));
    since_[batch] = wait(batch);
    required(store.start(EmptyFlow::slug, inputs, {}));
  }
}

void Load::wait_for_begin(std::size_t batch) const {
  for (std::size_t run = batch * batch_; run < (batch + 1) * batch_; ++run)
    while (!flow_.began(run)) std::this_thread::sleep_for(std::chrono::microseconds(100));
}

}  // namespace weir::bench
