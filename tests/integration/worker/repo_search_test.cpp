#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "integration/worker/worker_rig.hpp"
#include "plugin/loader.hpp"
#include "step/step_resources.hpp"
#include "store/postgres/postgres_worker_store.hpp"
#include "support/log_lines.hpp"
#include "support/test_database.hpp"
#include "unit/plugins/repo_search/test_repository.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

constexpr std::size_t searches = 100;

// A worker process as `weir serve` makes it, with the plugin itself, loaded as any other is.
class SearchWorker {
 public:
  SearchWorker() {
    auto stage = StageDirectory::open();
    REQUIRE(stage.has_value());
    const auto modules = PluginLoader(*std::move(stage)).load(REPO_SEARCH);
    REQUIRE_MESSAGE(modules.has_value(), to_string(modules.error()));
    for (const FlowModule& module : *modules) registry_.register_or_throw(module);
    auto store = postgres::open_worker_store(database());
    REQUIRE(store.has_value());
    store_ = *std::move(store);
    WorkerOptions options = RunningWorker::quick();
    options.slots = searches;
    options.lease = std::chrono::milliseconds(10'000);
    options.resources = resources;
    options.overrides.emplace("repo_search", FlowOverrides{.all = {.base_delay_ms = 10}});
    worker_ = std::make_unique<Worker>(options, registry_, *store_, logged_.log());
    thread_ = std::thread([this] { (void)worker_->run(); });
    TestClient client;
    REQUIRE(
        eventually([&] { return client.store().flow("repo_search", std::nullopt).has_value(); }));
  }
  ~SearchWorker() { end(); }

  /// Drains, ends what steps shared, and gives the log.
  std::string end() {
    if (thread_.joinable()) {
      worker_->drain();
      thread_.join();
      resources->end(*logged_.log());
    }
    return logged_.text();
  }

  const std::shared_ptr<StepResources> resources = std::make_shared<StepResources>();

 private:
  LogLines logged_;
  FlowRegistry registry_;
  std::unique_ptr<WorkerStore> store_;
  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

std::size_t count_of(std::string_view what, std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++count;
  return count;
}

std::vector<std::string> start_searches(TestClient& client, const TestRepository& repository) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < searches; ++i)
    ids.push_back(client.start("repo_search", R"({"repository": ")" + repository.path().string() +
                                                  R"(", "text": "weir"})"));
  return ids;
}

void check_reports(TestClient& client, const std::vector<std::string>& ids,
                   const std::string& commit) {
  for (const std::string& id : ids) {
    const RunReport report = client.wait(id);
    REQUIRE(report.summary.status == "completed");
    REQUIRE(boost::json::parse(report.output->text()) ==
            boost::json::parse(R"({"report": {"commit": ")" + commit +
                               R"(", "clones": 1, "files": 2, "binary": 0, "count": 2, "hits": [)"
                               R"({"path": "a", "count": 2, "lines": [)"
                               R"({"line": 1, "count": 2, "text": "weir weir"}]}]}})"));
  }
}

// A file that whoever opens it waits for, until it is let go and reads nothing.
class BlockedFile {
 public:
  explicit BlockedFile(std::filesystem::path path)
      : path_(std::move(path)), kept_(path_.string() + ".kept"), other_(path_.string() + ".pipe") {
    std::filesystem::rename(path_, kept_);
    REQUIRE(::mkfifo(path_.c_str(), 0600) == 0);
    REQUIRE(::link(path_.c_str(), other_.c_str()) == 0);
  }
  /// From now on the file is as it was. Whoever has opened it before finds it empty.
  void let_go() {
    std::filesystem::rename(kept_, path_);
    const int end = ::open(other_.c_str(), O_WRONLY | O_CLOEXEC);  // waits for a reader
    REQUIRE(end >= 0);
    ::close(end);
    std::filesystem::remove(other_);
  }

 private:
  std::filesystem::path path_, kept_, other_;
};

}  // namespace

TEST_SUITE_BEGIN("worker: repo_search");

TEST_CASE_FIXTURE(EmptyDatabase, "a hundred runs on one repository share one clone") {
  TestRepository repository;
  const std::string commit = repository.commit({{"a", "weir weir\n"}, {"b", "river\n"}});
  SearchWorker worker;
  TestClient client;
  check_reports(client, start_searches(client, repository), commit);
  CHECK(worker.resources->count() == 1);
  const std::string log = worker.end();
  CHECK(count_of("cloning " + repository.path().string(), log) == 1);
  CHECK(count_of("ended 1 resource that steps shared", log) == 1);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "a clone that fails once fails for all runs that wait and their retry clones") {
  TestRepository repository;
  const std::string commit = repository.commit({{"a", "weir weir\n"}, {"b", "river\n"}});
  BlockedFile branch(repository.path() / "refs/heads/main");
  SearchWorker worker;
  TestClient client;
  const auto ids = start_searches(client, repository);
  REQUIRE(eventually([&] { return worker.resources->waiting() == searches - 1; }));
  branch.let_go();
  check_reports(client, ids, commit);
  CHECK(query_value("select count(*) from weir.attempts where outcome = 'failed'") ==
        std::to_string(searches));
  CHECK(query_value("select count(distinct error) from weir.attempts where outcome = 'failed'") ==
        "1");
  const std::string error =
      query_value("select min(error) from weir.attempts where outcome = 'failed'");
  CHECK(error.starts_with("cannot clone " + repository.path().string() + ": "));
  MESSAGE(error);
  CHECK(query_value("select max(attempt) from weir.attempts") == "2");
  CHECK(count_of("cloning " + repository.path().string(), worker.end()) == 2);
}

TEST_SUITE_END();
