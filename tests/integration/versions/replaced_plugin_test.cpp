// What a person sees who copies a new build over a plugin while runs of it are open. A few runs by
// default; WEIR_OPEN_RUNS=1000 for as many as the issue names.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/log.hpp"
#include "integration/worker/worker_rig.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_watcher.hpp"
#include "serve/plugin_watch.hpp"
#include "serve/serve_tree.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

// What weir serve consists of, in this process, over one plugin folder.
class Served {
 public:
  Served() {
    const auto log = std::make_shared<Log>();
    fs::create_directory(plugins_);
    fs::permissions(plugins_, fs::perms(0755));
    auto stage = StageDirectory::open();
    REQUIRE(stage.has_value());
    loader_ = std::make_unique<PluginLoader>(*std::move(stage));
    ServeOptions options;
    options.worker = RunningWorker::quick();
    options.plugins = std::make_shared<PluginWatcher>(
        std::vector{plugins_}, *loader_, registry_, *board_, plugin_log(log),
        PluginWatcher::Options{.rescan = 500ms, .quiet = 50ms});
    options.kept.board = board_;
    options.keeper_intervals = {.check = 20ms, .query = 50ms, .report = 60s};
    auto tree = ServeTree::start(
        std::move(options), registry_,
        [](StoreUse use) {
          return postgres::open_worker_store(database(),
                                             {.connects_now = false, .listens = use.listens});
        },
        log);
    REQUIRE_MESSAGE(tree.has_value(), to_string(tree.error()));
    tree_ = *std::move(tree);
  }
  ~Served() {
    tree_->stop_now();
    CHECK(tree_->wait().has_value());
  }

  /// Puts a build in the plugin's place, as `cp` and `mv` would.
  void install(const char* build) const {
    const fs::path beside = folder_.path() / "long_order.tmp";
    fs::copy_file(build, beside, fs::copy_options::overwrite_existing);
    fs::permissions(beside, fs::perms(0644));
    fs::rename(beside, plugins_ / "long_order.so");
  }

  fs::path gate() const { return folder_.path() / "gate"; }

 private:
  TemporaryFolder folder_;
  const fs::path plugins_ = folder_.path() / "plugins";
  std::unique_ptr<PluginLoader> loader_;
  FlowRegistry registry_;
  std::shared_ptr<PluginBoard> board_ = std::make_shared<PluginBoard>();
  std::unique_ptr<ServeTree> tree_;
};

// How many files of the stage, each named by its sha256, are mapped here as code.
bool is_mapped(const std::string& sha256) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);)
    if (line.find(sha256) != std::string::npos) return true;
  return false;
}

std::string column(int version, std::string_view name) {
  return query_value(fmt::format("select {} from weir.versions where version = {}", name, version));
}

}  // namespace

TEST_SUITE_BEGIN("plugins: replaced");

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "V2: a plugin is replaced while runs are open and its old code is unmapped after the last") {
  const char* const wanted = std::getenv("WEIR_OPEN_RUNS");
  const std::size_t count = wanted == nullptr ? 50 : std::strtoull(wanted, nullptr, 10);
  const Served served;
  TestClient client;
  served.install(LONG_ORDER_1);
  REQUIRE(eventually([&] { return client.store().flow("long_order", {}).has_value(); }));
  REQUIRE(eventually([&] { return column(1, "workers") == "1"; }));
  const std::string first = column(1, "plugins[1]");
  const Json waits = Json::trusted(fmt::format(R"({{"until": "{}"}})", served.gate().string()));
  const auto started =
      client_on(client.store()).start_many("long_order", std::vector(count, waits));
  REQUIRE(started.has_value());
  REQUIRE(eventually([&] {
    return query_value("select count(distinct run_id) from weir.journal") == std::to_string(count);
  }));

  const auto replaced = std::chrono::steady_clock::now();
  served.install(LONG_ORDER_2);
  std::string begun;
  REQUIRE(eventually([&] {
    begun = client.start("long_order", R"({"until": ""})");
    return client.store().summary(begun)->version == 2;
  }));
  const RunReport fresh = client.wait(begun);
  const auto took = std::chrono::steady_clock::now() - replaced;
  MESSAGE("a run of the new version ended after "
          << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
  CHECK(fresh.output->text() == R"({"deliver": 2})");
  CHECK(took < 5s);  // 1 s where the machine is ours
  CHECK(column(1, "open_runs") == std::to_string(count));
  CHECK(column(1, "safe_to_remove") == "f");
  CHECK(column(1, "workers") == "1");
  CHECK(is_mapped(first));
  CHECK(eventually([] {
    return query_value("select string_agg(state, ' ' order by state) from weir.plugins") ==
           "former live";
  }));

  std::ofstream(served.gate()) << "open";
  for (const StartedRun& run : *started)
    CHECK(client.wait(run.id).output->text() == R"({"deliver": 1})");
  CHECK(query_value("select count(*) from weir.runs where version = 1 and status = 'completed'") >=
        std::to_string(count));
  CHECK(query_value("select count(distinct plugin_sha256) from weir.attempts a join weir.runs r "
                    "using (run_id) where r.version = 1") == "1");
  CHECK(eventually([] { return column(1, "safe_to_remove") == "t"; }));
  CHECK(eventually([] { return column(1, "workers") == "0"; }));
  CHECK(eventually([&] { return !is_mapped(first); }));
  CHECK(column(2, "workers") == "1");
  CHECK(eventually([] {
    return query_value("select string_agg(state, ' ' order by state) from weir.plugins") == "live";
  }));
  CHECK(client.run("long_order", R"({"until": ""})").output->text() == R"({"deliver": 2})");
}

TEST_SUITE_END();
