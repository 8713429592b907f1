#include "serve/serve_tree.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "store/flow_store.hpp"
#include "store/plugin_store.hpp"
#include "support/eventually.hpp"
#include "support/log_lines.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using testing::eventually;

// A database without runs, and what went on in it.
struct Database {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<StoreUse> opened;
  std::size_t closed = 0;
  int joined = 0;
  int left = 0;
  int sweeps = 0;
  int refuse_joins = 0;       // the next so many
  bool blocks_leave = false;  // nobody can leave

  template <class Change>
  void change(Change&& how) {
    const std::lock_guard lock(mutex);
    how();
    changed.notify_all();
  }
  template <class Fact>
  auto read(Fact&& fact) {
    const std::lock_guard lock(mutex);
    return fact();
  }
};

class Session final : public WorkerStore, public FlowStore, public PluginStore {
 public:
  explicit Session(Database& database) : database_(database) {}
  ~Session() override {
    database_.change([&] { ++database_.closed; });
  }

  Result<VersionId> register_version(const FlowDefinition&) override { return 1; }
  Result<PluginId> register_plugin(const std::string&, const std::string&) override { return 1; }
  Result<WorkerId> join(const WorkerIdentity&, std::chrono::milliseconds) override {
    const std::lock_guard lock(database_.mutex);
    if (database_.refuse_joins > 0) {
      --database_.refuse_joins;
      return std::unexpected(Error{.code = ErrorCode::conflict,
                                   .kind = "refused",
                                   .message = "no more workers here",
                                   .hint = ""});
    }
    return ++database_.joined;
  }
  Result<std::vector<RunKey>> resume(WorkerId, std::int64_t, std::int64_t,
                                     std::chrono::milliseconds) override {
    return std::vector<RunKey>();
  }
  Result<ExchangeReply> exchange(const ExchangeRequest&) override {
    ExchangeReply reply;
    reply.now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    return reply;
  }
  Result<std::vector<Result<void>>> start_children(WorkerId, std::chrono::milliseconds,
                                                   const std::vector<ChildStart>&) override {
    return std::vector<Result<void>>();
  }
  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId, const std::vector<std::pair<RunKey, std::size_t>>&) override {
    return {};
  }
  Result<std::optional<JournalRow>> resolve(WorkerId, const SettledAttempt&) override {
    return std::nullopt;
  }
  void write_large(WorkerId, LargeWrite) override {}
  bool withdraw_large(RunKey, TaskId, int, ShareId) override { return false; }
  std::vector<LargeWritten> take_written() override { return {}; }
  void forget_large() override {}
  Result<void> set_limits(const std::string&, const FlowLimits&) override { return {}; }
  Result<void> serve_versions(WorkerId, const std::map<VersionId, ServedVersion>&) override {
    return {};
  }
  Result<std::vector<AdoptedVersion>> adopt_older(VersionId) override {
    return std::vector<AdoptedVersion>();
  }
  Result<std::vector<VersionReport>> versions_of(const std::vector<std::string>&) override {
    return std::vector<VersionReport>();
  }
  Result<std::vector<std::string>> flows_with_open_runs() override {
    return std::vector<std::string>();
  }
  Result<void> report_plugins(const ReportingProcess&, const std::optional<Json>&) override {
    return {};
  }
  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey>) override {
    return {};
  }
  Result<int> sweep() override {
    database_.change([&] { ++database_.sweeps; });
    return 0;
  }
  Result<void> leave(WorkerId) override {
    std::unique_lock lock(database_.mutex);
    database_.changed.wait(lock, [&] { return !database_.blocks_leave; });
    ++database_.left;
    return {};
  }
  FlowStore& flows() noexcept override { return *this; }
  PluginStore& plugins() noexcept override { return *this; }
  bool wait(std::chrono::milliseconds limit) override {
    std::unique_lock lock(database_.mutex);
    database_.changed.wait_for(lock, limit, [&] { return std::exchange(woken_, false); });
    return false;
  }
  void wake() noexcept override {
    database_.change([&] { woken_ = true; });
  }

 private:
  Database& database_;
  bool woken_ = false;
};

// A tree over a database of its own, with what it logged.
struct Rig {
  Database database;
  FlowRegistry registry;
  testing::LogLines logged;
  std::shared_ptr<Log> log = logged.log();

  Result<std::unique_ptr<ServeTree>> start(ServeOptions options) {
    options.worker.slots = 1;
    options.worker.drain_timeout = 0ms;
    return ServeTree::start(
        options, registry,
        [this](StoreUse use) -> Result<std::unique_ptr<WorkerStore>> {
          database.change([&] { database.opened.push_back(use); });
          return std::make_unique<Session>(database);
        },
        log);
  }
  bool joined(int count) {
    return eventually([&] { return database.read([&] { return database.joined == count; }); });
  }
};

}  // namespace

TEST_SUITE("serve: tree") {
  TEST_CASE("each worker has a session of its own and the sweeper has one that does not listen") {
    Rig rig;
    const auto tree = rig.start({.workers = 2});
    REQUIRE(tree);
    REQUIRE(rig.joined(2));
    REQUIRE(eventually([&] { return rig.database.read([&] { return rig.database.sweeps > 0; }); }));
    CHECK(rig.database.read([&] {
      std::size_t listeners = 0;
      for (const StoreUse& use : rig.database.opened) listeners += use.listens ? 1 : 0;
      return rig.database.opened.size() == 3 && listeners == 2;
    }));
    (*tree)->drain();
    CHECK((*tree)->wait());
    CHECK(rig.database.read([&] { return rig.database.left == 2 && rig.database.closed == 3; }));
    CHECK((*tree)->left_behind() == 0);
  }

  TEST_CASE("L3: workers leave the looking for dead ones to the sweeper") {
    Rig rig;
    ServeOptions options{.workers = 4};
    options.worker.lease = 1h;
    const auto tree = rig.start(options);
    REQUIRE(tree);
    REQUIRE(rig.joined(4));
    (*tree)->drain();
    CHECK((*tree)->wait());
    CHECK(rig.database.sweeps <= 1);
  }

  TEST_CASE("a worker that ends with an error is logged and started again") {
    Rig rig;
    rig.database.refuse_joins = 2;
    const auto tree = rig.start({.workers = 1});
    REQUIRE(tree);
    REQUIRE(rig.joined(1));
    (*tree)->drain();
    CHECK((*tree)->wait());
    const std::string text = rig.logged.text();
    CHECK(text.find("serve: worker-1 ended: no more workers here; restart 1 in 100 ms\n") !=
          std::string::npos);
    CHECK(text.find("serve: worker-1 ended: no more workers here; restart 2 in 200 ms\n") !=
          std::string::npos);
    CHECK(text.find("serve: worker-1 started again\n") != std::string::npos);
  }

  TEST_CASE("a worker that fails more often than the limit ends the tree with its error") {
    Rig rig;
    rig.database.refuse_joins = 1'000;
    const auto tree = rig.start({.workers = 1, .limit = {.max_restarts = 1}});
    REQUIRE(tree);
    const Result<void> ended = (*tree)->wait();
    REQUIRE_FALSE(ended);
    CHECK(ended.error().code == ErrorCode::conflict);
    CHECK(ended.error().message ==
          "\"serve\" gives up on \"worker-1\", which ended 2 times (limit: 1 restarts within "
          "5 s), most recently with: no more workers here");
    CHECK((*tree)->left_behind() == 0);
  }

  TEST_CASE("a worker that does not stop in time is reported and left behind") {
    Rig rig;
    {
      const auto tree = rig.start({.workers = 1, .stop_grace = 50ms});
      REQUIRE(tree);
      REQUIRE(rig.joined(1));
      rig.database.change([&] { rig.database.blocks_leave = true; });
      (*tree)->stop_now();
      CHECK((*tree)->wait());
      CHECK((*tree)->stuck() == 1);
      CHECK((*tree)->left_behind() == 1);
      CHECK(rig.logged.text().find("serve: worker-1 did not stop in time and is left behind\n") !=
            std::string::npos);
    }
    rig.database.change([&] { rig.database.blocks_leave = false; });
    CHECK(eventually([&] { return rig.database.read([&] { return rig.database.closed == 2; }); }));
  }

  TEST_CASE("a session that cannot be opened is the error of the start") {
    Rig rig;
    const auto tree = ServeTree::start(
        {}, rig.registry,
        [](StoreUse) -> Result<std::unique_ptr<WorkerStore>> {
          return std::unexpected(Error{.code = ErrorCode::unavailable,
                                       .kind = "database_away",
                                       .message = "nobody there",
                                       .hint = ""});
        },
        rig.log);
    REQUIRE_FALSE(tree);
    CHECK(tree.error().code == ErrorCode::unavailable);
    CHECK(tree.error().message == "child \"worker-1\" of \"serve\" did not start: nobody there");
  }
}

}  // namespace weir
