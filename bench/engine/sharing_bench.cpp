// How much sooner one wide run ends when several workers share it (L7): elements whose handlers
// sleep, so that slots and not processors are what is short. script/bench builds and runs it.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
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

std::chrono::milliseconds sleep_time{5};

std::int32_t sleep_a_while(const weir_host* host, weir_call* call, weir_str, void*) {
  std::this_thread::sleep_for(sleep_time);
  constexpr std::string_view output = "1";
  return host->output(call, {output.data(), output.size()});
}

FlowModule wide() {
  static const weir_step step = step_of(sleep_a_while);
  FlowDraft draft;
  draft.module = "bench.Wide";
  draft.slug = "wide";
  FlowDraft::Step each;
  each.slug = "each";
  each.kind = "map";
  draft.steps.push_back(each);
  return flow_of(draft, step);
}

double seconds_with(const std::string& url, std::size_t workers, std::size_t slots,
                    const Json& input) {
  const auto admin = emptied(url);
  const auto store = required(postgres::open_run_store(url));
  std::vector<std::unique_ptr<Serving>> serving;
  for (std::size_t i = 0; i < workers; ++i) {
    serving.push_back(std::make_unique<Serving>(url, wide(), slots));
    serving.back()->begin();
  }
  constexpr const char* alive = "select count(*) from weir.worker where idle";
  while (required(admin->query(alive))[0][0].as<std::size_t>() < workers)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto began = Clock::now();
  const auto started = required(store->start("wide", {input}, {}));
  while (required(store->summary(started.front().id)).status != "completed")
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return seconds_since(began);
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t elements = 10'000, slots = 8;
  std::filesystem::path folder = "build/bench-database";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--elements") elements = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--sleep") sleep_time = std::chrono::milliseconds(std::atoi(argv[i + 1]));
    if (option == "--slots") slots = std::strtoull(argv[i + 1], nullptr, 10);
    if (option == "--folder") folder = argv[i + 1];
  }
  const LocalPostgres database = required(LocalPostgres::open(folder));
  const Json input = Json::array(std::vector<Json>(elements, Json::number(1)));
  double alone = 0;
  for (const std::size_t workers : {1, 2, 4}) {
    const double seconds = seconds_with(database.url(), workers, slots, input);
    if (workers == 1) alone = seconds;
    fmt::print("{} worker{}: {:.2f} s, {:.2f} times as quick as one\n", workers,
               workers == 1 ? "" : "s", seconds, alone / seconds);
  }
}
