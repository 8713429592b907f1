// How much sooner one wide run ends when several workers share it (L7): elements whose handlers
// sleep, so that slots and not processors are what is short.
//   bench_sharing DATABASE_URL [elements 10000] [sleep_ms 5] [slots 8]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/null_sink.h>

#include "client/client.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "store/postgres/session.hpp"
#include "worker/worker.hpp"

namespace {

using namespace weir;
using Clock = std::chrono::steady_clock;

std::chrono::milliseconds sleep_time{5};

std::int32_t sleep_a_while(const weir_host* host, weir_call* call, weir_str, void*) {
  std::this_thread::sleep_for(sleep_time);
  constexpr std::string_view output = "1";
  return host->output(call, {output.data(), output.size()});
}

template <class T>
T required(Result<T> result) {
  if (!result) {
    fmt::print(stderr, "bench_sharing: {}\n", to_string(result.error()));
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

FlowModule wide() {
  static weir_step step = [] {
    weir_step code{};
    code.struct_size = sizeof(weir_step);
    code.run = sleep_a_while;
    return code;
  }();
  FlowDraft draft;
  draft.module = "bench.Wide";
  draft.slug = "wide";
  FlowDraft::Step each;
  each.slug = "each";
  each.kind = "map";
  draft.steps.push_back(each);
  return {.definition = *FlowDefinition::build(draft), .steps = {&step}, .file = {}, .code = {}};
}

struct Serving {
  FlowRegistry registry;
  std::unique_ptr<WorkerStore> store;
  std::unique_ptr<Worker> worker;
  std::thread thread;

  Serving(const std::string& url, std::size_t slots)
      : store(required(postgres::open_worker_store(url))) {
    registry.register_or_throw(wide());
    worker = std::make_unique<Worker>(
        WorkerOptions{.slots = slots, .overrides = {}}, registry, *store,
        std::make_shared<spdlog::logger>("bench", std::make_shared<spdlog::sinks::null_sink_mt>()));
    thread = std::thread([this] { required(worker->run()); });
  }
  ~Serving() {
    worker->drain();
    thread.join();
  }
};

double seconds_with(const std::string& url, std::size_t workers, std::size_t slots,
                    const Json& input) {
  const auto admin = required(postgres::Session::open(url));
  required(admin->transact(
      [](pqxx::work& transaction) { transaction.exec("drop schema if exists weir cascade"); }));
  required(postgres::migrate(url));
  const auto store = required(postgres::open_run_store(url));
  std::vector<std::unique_ptr<Serving>> serving;
  for (std::size_t i = 0; i < workers; ++i)
    serving.push_back(std::make_unique<Serving>(url, slots));
  constexpr const char* alive = "select count(*) from weir.worker where idle";
  while (required(admin->query(alive))[0][0].as<std::size_t>() < workers)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto began = Clock::now();
  const auto started = required(store->start("wide", {input}, {}));
  while (required(store->summary(started.front().id)).status != "completed")
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return std::chrono::duration<double>(Clock::now() - began).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_sharing DATABASE_URL [elements] [sleep_ms] [slots]\n");
    return 2;
  }
  const auto argument = [&](int at, int otherwise) {
    return argc > at ? std::atoi(argv[at]) : otherwise;
  };
  const int elements = argument(2, 10'000);
  sleep_time = std::chrono::milliseconds(argument(3, 5));
  const auto slots = static_cast<std::size_t>(argument(4, 8));
  std::vector<Json> ones(static_cast<std::size_t>(elements), Json::number(1));
  const Json input = Json::array(ones);
  double alone = 0;
  for (const std::size_t workers : {1, 2, 4}) {
    const double seconds = seconds_with(argv[1], workers, slots, input);
    if (workers == 1) alone = seconds;
    fmt::print("{} worker{}: {:.2f} s, {:.2f} times as quick as one\n", workers,
               workers == 1 ? "" : "s", seconds, alone / seconds);
  }
}
