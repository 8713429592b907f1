// What a call costs in a process of its own, beside one in this process: calls a second and how
// long one takes, made as a worker's slots make them. Rounds of both are interleaved, so that a
// slow moment of the machine meets both; the table shows medians. script/bench builds and runs it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "base/log.hpp"
#include "bench/required.hpp"
#include "isolated/child_main.hpp"
#include "isolated/isolated_host.hpp"
#include "plugin/in_process_host.hpp"
#include "plugin/inspection.hpp"
#include "step/step_call.hpp"

namespace {

using namespace weir;
using bench::fail;
using Clock = std::chrono::steady_clock;

struct Work {
  std::size_t callers;
  std::size_t input_bytes;
};

struct Sample {
  double calls_per_second = 0, p50_us = 0, p99_us = 0;
};

Sample measured(const FlowHandle& flow, Work work, std::chrono::duration<double> time) {
  const Json input = Json::string(std::string(work.input_bytes - 2, 'x'));
  StepResources resources;
  Log log;
  std::vector<std::vector<float>> taken(work.callers);
  std::latch ready(static_cast<std::ptrdiff_t>(work.callers) + 1);
  std::atomic<bool> over = false;
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < work.callers; ++i)
    callers.emplace_back([&, i] {
      const auto once = [&] {
        Attempt attempt;
        attempt.flow = flow;
        attempt.step = flow->steps[0];
        attempt.input = input;
        attempt.run_id = "01890a5d-ac96-774b-bcce-b302099a8057";
        const auto begins = Clock::now();
        const AttemptResult result = call_step(attempt, resources, log);
        const std::chrono::duration<float, std::micro> us = Clock::now() - begins;
        if (result.outcome != Outcome::completed) fail(result.error);
        return us.count();
      };
      taken[i].reserve(4'000'000 / work.callers);
      for (int warm = 0; warm < 100; ++warm) once();
      ready.arrive_and_wait();
      while (!over.load(std::memory_order_relaxed)) taken[i].push_back(once());
    });
  ready.arrive_and_wait();
  const auto begins = Clock::now();
  std::this_thread::sleep_for(time);
  over = true;
  const std::chrono::duration<double> lasted = Clock::now() - begins;
  for (auto& each : callers) each.join();

  std::vector<float> all;
  for (const auto& some : taken) all.insert(all.end(), some.begin(), some.end());
  if (all.empty()) fail("no call ended in time");
  std::ranges::sort(all);
  return {.calls_per_second = static_cast<double>(all.size()) / lasted.count(),
          .p50_us = all[all.size() / 2],
          .p99_us = all[all.size() * 99 / 100]};
}

double median(std::vector<Sample>& samples, double Sample::* what) {
  std::ranges::sort(samples, {}, what);
  return samples[samples.size() / 2].*what;
}

FlowHandle opened(PluginHost& host, const std::filesystem::path& file) {
  const auto inspection = inspect(file);
  if (!inspection) fail(to_string(inspection.error()));
  auto modules = host.open(*inspection, file);
  if (!modules) fail(to_string(modules.error()));
  return FlowHandle(std::move(modules->front()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::string_view(argv[1]) == "internal") run_isolated_child();
  std::size_t rounds = 5;
  double seconds = 0.5;
  std::string json;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--rounds") rounds = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--seconds") seconds = std::strtod(argv[i + 1], nullptr);
    if (option == "--json") json = argv[i + 1];
  }
  const auto log = std::make_shared<Log>();
  InProcessHost in_process;
  IsolatedHost isolated({}, nullptr, log);
  const FlowHandle here = opened(in_process, WEIR_BENCH_ECHO);
  const FlowHandle there = opened(isolated, WEIR_BENCH_ECHO);

  struct Row {
    Work work;
    std::vector<Sample> here, there;
  };
  std::vector<Row> rows;
  for (const std::size_t bytes : {100UL, 4'096UL, 65'536UL})
    for (const std::size_t callers : {1UL, 2UL, 8UL}) rows.push_back({{callers, bytes}, {}, {}});
  const std::chrono::duration<double> time(seconds);
  for (std::size_t round = 0; round < rounds; ++round)
    for (Row& row : rows) {
      row.here.push_back(measured(here, row.work, time));
      row.there.push_back(measured(there, row.work, time));
    }

  fmt::print("{:>8}{:>9} |{:>11}{:>9}{:>9} |{:>11}{:>9}{:>9}\n", "", "", "in process", "p50", "p99",
             "isolated", "p50", "p99");
  fmt::print("{:>8}{:>9} |{:>11}{:>9}{:>9} |{:>11}{:>9}{:>9}\n", "bytes", "callers", "calls/s",
             "us", "us", "calls/s", "us", "us");
  std::string lines;
  for (Row& row : rows) {
    fmt::print("{:>8}{:>9}", row.work.input_bytes, row.work.callers);
    for (auto& [mode, samples] : {std::pair("in_process", &row.here), {"isolated", &row.there}}) {
      const double calls = median(*samples, &Sample::calls_per_second);
      const double p50 = median(*samples, &Sample::p50_us), p99 = median(*samples, &Sample::p99_us);
      fmt::print(" |{:>11.0f}{:>9.1f}{:>9.1f}", calls, p50, p99);
      lines += fmt::format(
          R"({}  {{"mode":"{}","bytes":{},"callers":{},"calls_per_s":{:.0f},"p50_us":{:.2f},"p99_us":{:.2f}}})",
          lines.empty() ? "" : ",\n", mode, row.work.input_bytes, row.work.callers, calls, p50,
          p99);
    }
    fmt::print("\n");
  }
  if (!json.empty()) std::ofstream(json) << "[\n" << lines << "\n]\n";
  return 0;
}
