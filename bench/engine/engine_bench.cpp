// What the engine does with handlers that do nothing, beside a floor: a program that does the same
// work with hand-written SQL. Rounds of both are interleaved, so that a slow moment of the machine
// meets both; the table shows medians, and ratios of them. script/bench builds and runs it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "bench/engine/serving.hpp"
#include "bench/required.hpp"
#include "store/local/local_postgres.hpp"
#include "store/postgres/postgres_run_store.hpp"

namespace {

using namespace weir;
using namespace weir::bench;

constexpr std::size_t batch = 1'000;

std::atomic<Clock::rep> handler_began = 0;
std::atomic<std::size_t> handlers_begun = 0;

std::int32_t do_nothing(const weir_host* host, weir_call* call, weir_str, void*) {
  handler_began.store(Clock::now().time_since_epoch().count());
  handlers_begun.fetch_add(1, std::memory_order_relaxed);
  constexpr std::string_view output = R"({"ok": true})";
  return host->output(call, {output.data(), output.size()});
}

FlowModule flow(std::string_view work) {
  static const weir_step step = step_of(do_nothing);
  FlowDraft draft;
  draft.module = "bench.Engine";
  draft.slug = "bench";
  const std::size_t steps = work == "chain3" ? 3 : 1;
  for (std::size_t i = 0; i < steps; ++i) {
    FlowDraft::Step next;
    next.slug = fmt::format("s{}", i);
    next.kind = work == "map1000" ? "map" : "single";
    if (i > 0) next.depends_on.push_back(fmt::format("s{}", i - 1));
    draft.steps.push_back(next);
  }
  return flow_of(draft, step);
}

Json input(std::string_view work) {
  if (work != "map1000") return required(Json::parse(R"({"n": 1})"));
  return Json::array(std::vector<Json>(1'000, required(Json::parse("1"))));
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

struct Measured {
  std::string name;
  std::string unit;
  std::string floor_mode;  // what the floor calls the same work; "" when it has none
  std::vector<double> ours, floors;
};

// A fresh schema with the flow known, and clients for it.
struct Fresh {
  std::unique_ptr<postgres::Session> admin;
  std::unique_ptr<RunStore> store;
  Serving serving;

  Fresh(const std::string& url, std::string_view work, std::size_t slots)
      : admin(emptied(url)),
        store(required(postgres::open_run_store(url))),
        serving(url, flow(work), slots) {
    serving.register_flow();
  }

  void start(std::size_t count, const Json& one) {
    for (std::size_t left = count; left > 0; left -= std::min(left, batch))
      required(store->start("bench", std::vector<Json>(std::min(left, batch), one), {}));
  }
};

double starts_per_second(const std::string& url) {
  constexpr std::size_t count = 20'000;
  Fresh fresh(url, "chain1", 8);
  const auto begin = Clock::now();
  fresh.start(count, input("chain1"));
  return count / seconds_since(begin);
}

double tasks_per_second(const std::string& url, std::string_view work, std::size_t runs) {
  const bool map = work == "map1000";
  const std::size_t tasks = runs * (map ? 1'000 : work == "chain3" ? 3 : 1);
  Fresh fresh(url, work, 8);
  fresh.start(runs, input(work));
  handlers_begun = 0;
  const auto begin = Clock::now();
  fresh.serving.begin();
  // The database, which has two processors to share, is not asked before it can be over.
  while (handlers_begun.load() < tasks) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  while (required(fresh.admin->query("select exists (select from weir.open_run)"))[0][0].as<bool>())
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return static_cast<double>(tasks) / seconds_since(begin);
}

// From before start to the first line of the handler, one run at a time on an idle system.
double latency_ms(const std::string& url) {
  constexpr std::size_t count = 100;
  Fresh fresh(url, "chain1", 8);
  fresh.serving.begin();
  std::vector<double> milliseconds;
  for (std::size_t i = 0; i < count; ++i) {
    handler_began = 0;
    const auto begin = Clock::now();
    const std::string id = required(fresh.store->start("bench", {input("chain1")}, {})).front().id;
    while (handler_began.load() == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    milliseconds.push_back(
        static_cast<double>(handler_began.load() - begin.time_since_epoch().count()) / 1e6);
    while (required(fresh.store->summary(id)).status != "completed")
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return median(milliseconds);
}

// The number behind "key": in the last line a program prints.
double printed(const std::string& command, const std::string& key) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) fail(command + " cannot be started");
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  const std::size_t at = text.find("\"" + key + "\":");
  if (::pclose(pipe) != 0 || at == std::string::npos) fail(command + " failed");
  return std::strtod(text.c_str() + at + key.size() + 3, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t rounds = 7, runs = 10'000;
  std::string floor, json, only;
  std::filesystem::path folder = "build/bench-database";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--rounds") rounds = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--runs") runs = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--floor") floor = argv[i + 1];
    if (option == "--json") json = argv[i + 1];
    if (option == "--only") only = argv[i + 1];
    if (option == "--folder") folder = argv[i + 1];
  }
  const LocalPostgres database = required(LocalPostgres::open(folder));
  const std::string& url = database.url();
  ::setenv("FLOOR_CONNINFO", url.c_str(), 1);

  const std::size_t maps = std::max<std::size_t>(1, runs / 500);
  std::vector<Measured> all = {
      {"1-step runs", "tasks/s", fmt::format("owned1 100 1 {}", runs), {}, {}},
      {"3-step runs", "tasks/s", fmt::format("owned3 100 1 {}", runs), {}, {}},
      {"map of 1,000", "tasks/s", fmt::format("map1000 100 1 {}", maps), {}, {}},
      {"starts, batched", "runs/s", "", {}, {}},
      {"idle latency", "ms", "latency 1 1 100", {}, {}}};
  const std::vector<std::function<double()>> ours = {
      [&] { return tasks_per_second(url, "chain1", runs); },
      [&] { return tasks_per_second(url, "chain3", runs); },
      [&] { return tasks_per_second(url, "map1000", maps); },
      [&] { return starts_per_second(url); }, [&] { return latency_ms(url); }};
  for (std::size_t round = 1; round <= rounds; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!only.empty() && all[i].name != only) continue;
      fmt::print(stderr, "round {} of {}: {}\n", round, rounds, all[i].name);
      all[i].ours.push_back(ours[i]());
      if (!floor.empty() && !all[i].floor_mode.empty())
        all[i].floors.push_back(
            printed(floor + " " + all[i].floor_mode, all[i].unit == "ms" ? "p50_ms" : "per_s"));
    }
  }

  fmt::print("{:<18}{:>10}{:>10}{:>9}  {}\n", "work", "weir", "floor", "ratio", "unit");
  std::string lines;
  for (const Measured& measured : all) {
    if (measured.ours.empty()) continue;
    const double value = median(measured.ours);
    const std::optional<double> base =
        measured.floors.empty() ? std::nullopt : std::optional(median(measured.floors));
    const int digits = measured.unit == "ms" ? 2 : 0;
    fmt::print("{:<18}{:>10.{}f}{:>10}{:>9}  {}\n", measured.name, value, digits,
               base ? fmt::format("{:.{}f}", *base, digits) : "-",
               base ? fmt::format("{:.2f}", value / *base) : "-", measured.unit);
    lines +=
        fmt::format(R"({}  {{"name":"{}","value":{:.3f},"unit":"{}","against":{},"ratio":{}}})",
                    lines.empty() ? "" : ",\n", measured.name, value, measured.unit,
                    base ? fmt::format("{:.3f}", *base) : "null",
                    base ? fmt::format("{:.3f}", value / *base) : "null");
  }
  if (!json.empty()) std::ofstream(json) << "[\n" << lines << "\n]\n";
  return 0;
}
