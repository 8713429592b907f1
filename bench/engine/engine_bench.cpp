// What the engine does with handlers that do nothing: bench_engine WORK COUNT [SLOTS] against
// $WEIR_BENCH_DATABASE, a PostgreSQL whose schema weir is dropped first. One line of JSON, in the
// form other engines' drivers print.
//   chain1, chain3   COUNT runs of 1 or 3 steps, all started before the worker begins
//   map1000          COUNT runs of one map over 1,000 elements
//   start            COUNT runs started in batches of 1,000; nobody works
//   latency          COUNT times on an idle system: from before start to the first line of the
//   handler
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "store/postgres/session.hpp"
#include "worker/worker.hpp"

namespace {

using namespace weir;
using Clock = std::chrono::steady_clock;

constexpr std::size_t batch = 1'000;

std::atomic<Clock::rep> handler_began = 0;

std::int32_t do_nothing(const weir_host* host, weir_call* call, weir_str, void*) {
  handler_began.store(Clock::now().time_since_epoch().count());
  constexpr std::string_view output = R"({"ok": true})";
  return host->output(call, {output.data(), output.size()});
}

template <class T>
T required(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "bench_engine: {}\n", to_string(result.error()));
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

FlowModule flow(std::string_view work) {
  static weir_step step = [] {
    weir_step code{};
    code.struct_size = sizeof(weir_step);
    code.run = do_nothing;
    return code;
  }();
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
  auto definition = FlowDefinition::build(draft);
  return {.definition = *std::move(definition),
          .steps = std::vector<const weir_step*>(steps, &step),
          .file = {},
          .code = {}};
}

Json input(std::string_view work) {
  if (work != "map1000") return required(Json::parse(R"({"n": 1})"));
  return Json::array(std::vector<Json>(1'000, required(Json::parse("1"))));
}

struct Worked {
  FlowRegistry registry;
  std::unique_ptr<WorkerStore> store;
  std::unique_ptr<Worker> worker;
  std::thread thread;

  Worked(const std::string& url, std::string_view work, std::size_t slots)
      : store(required(postgres::open_worker_store(url))) {
    registry.register_or_throw(flow(work));
    auto log =
        std::make_shared<spdlog::logger>("bench", std::make_shared<spdlog::sinks::null_sink_mt>());
    worker = std::make_unique<Worker>(WorkerOptions{.slots = slots, .overrides = {}}, registry,
                                      *store, log);
  }
  void begin() {
    thread = std::thread([this] { required(worker->run()); });
  }
  ~Worked() {
    worker->drain();
    if (thread.joinable()) thread.join();
  }
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  const char* url = std::getenv("WEIR_BENCH_DATABASE");
  if (argc < 3 || url == nullptr) {
    fmt::print(stderr,
               "usage: WEIR_BENCH_DATABASE=URL bench_engine chain1|chain3|map1000|start|latency "
               "COUNT [SLOTS]\n");
    return 2;
  }
  const std::string_view work = argv[1];
  const auto count = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10));
  const std::size_t slots =
      argc > 3 ? static_cast<std::size_t>(std::strtoull(argv[3], nullptr, 10)) : 8;

  const auto admin = required(postgres::Session::open(url));
  required(admin->transact(
      [](pqxx::work& transaction) { transaction.exec("drop schema if exists weir cascade"); }));
  required(postgres::migrate(url));
  const auto store = required(postgres::open_run_store(url));
  Worked worked(url, work, slots);
  required(worked.store->register_version(worked.registry.list().front()->definition));

  const Json one_input = input(work);
  const auto start_all = [&] {
    for (std::size_t left = count; left > 0;) {
      const std::size_t now = std::min(left, batch);
      required(store->start("bench", std::vector<Json>(now, one_input), {}));
      left -= now;
    }
  };
  if (work == "latency") {
    worked.begin();
    std::vector<double> milliseconds;
    for (std::size_t i = 0; i < count; ++i) {
      handler_began = 0;
      const auto begin = Clock::now();
      const std::string id = required(store->start("bench", {one_input}, {})).front().id;
      while (handler_began.load() == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
      milliseconds.push_back(
          static_cast<double>(handler_began.load() - begin.time_since_epoch().count()) / 1e6);
      while (required(store->summary(id)).status != "completed")
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    std::ranges::sort(milliseconds);
    fmt::print(R"({{"peer":"weir","work":"latency","p50_ms":{:.3f},"p99_ms":{:.3f},"n":{}}})"
               "\n",
               milliseconds[count / 2], milliseconds[count * 99 / 100], count);
    return 0;
  }
  const auto enqueue = Clock::now();
  start_all();
  const double enqueue_seconds = seconds_since(enqueue);
  const std::size_t tasks = count * (work == "chain3" ? 3 : work == "map1000" ? 1'000 : 1);
  double work_seconds = 0;
  if (work != "start") {
    const auto begin = Clock::now();
    worked.begin();
    for (;;) {
      const auto open = required(admin->query("select exists (select from weir.open_run)"));
      if (!open[0][0].as<bool>()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    work_seconds = seconds_since(begin);
  }
  fmt::print(
      R"({{"peer":"weir","work":"{}","n":{},"slots":{},"per_s":{:.0f},"runs_per_s":{:.0f},"secs":{:.2f},"enqueue_per_s":{:.0f}}})"
      "\n",
      work, tasks, slots, work_seconds > 0 ? static_cast<double>(tasks) / work_seconds : 0,
      work_seconds > 0 ? static_cast<double>(count) / work_seconds : 0, work_seconds,
      static_cast<double>(count) / enqueue_seconds);
  return 0;
}
