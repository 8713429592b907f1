#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <weir/supervisor.hpp>

#include "serve/retention_keeper.hpp"
#include "serve/schedule_ticker.hpp"
#include "support/eventually.hpp"
#include "support/log_lines.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using testing::eventually;

Error away() {
  return {.code = ErrorCode::unavailable, .kind = "away", .message = "away", .hint = {}};
}

// What was requested of a database, and what it answers.
struct MaintainedDatabase {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Duration> next;  // of every tick: when the next is due, from now
  bool answers = true;
  bool prune_due = true;
  int ticks = 0, upkeeps = 0, batches = 3;  // left to prune
  std::vector<std::chrono::milliseconds> waits;
  std::vector<std::int64_t> cursors;
  bool prune_requested = false;

  template <class Fact>
  bool becomes(Fact&& fact) {
    return eventually([&] {
      const std::lock_guard lock(mutex);
      return fact(*this);
    });
  }
};

class MaintenanceSession final : public MaintenanceStore {
 public:
  explicit MaintenanceSession(std::shared_ptr<MaintainedDatabase> database)
      : database_(std::move(database)) {}

  Result<Time> schedule(const ScheduleSpec&) override { return Time{}; }
  Result<bool> unschedule(const std::string&) override { return true; }
  Result<bool> pause_schedule(const std::string&) override { return true; }
  Result<bool> resume_schedule(const std::string&) override { return true; }
  Result<std::vector<ScheduleReport>> schedules() override { return std::vector<ScheduleReport>(); }
  Result<std::vector<Time>> ticks(const std::string&, const std::string&, std::size_t) override {
    return std::vector<Time>();
  }
  Result<TickReport> tick() override {
    const std::lock_guard lock(database_->mutex);
    ++database_->ticks;
    if (!database_->answers) return std::unexpected(away());
    TickReport report{.now = Time{1h}};
    if (database_->next) report.next_at = report.now + *database_->next;
    return report;
  }
  Result<PruneReport> prune(const Retention&, PruneCursor cursor, std::int64_t, bool) override {
    const std::lock_guard lock(database_->mutex);
    database_->cursors.push_back(cursor.after);
    return PruneReport{
        .runs = 1, .cursor = {.after = cursor.after + 10}, .finished = --database_->batches == 0};
  }
  Result<bool> maintain(std::optional<std::chrono::milliseconds> every) override {
    const std::lock_guard lock(database_->mutex);
    ++database_->upkeeps;
    database_->prune_requested = every.has_value();
    if (!database_->answers) return std::unexpected(away());
    return every && std::exchange(database_->prune_due, false);
  }
  void wait(std::chrono::milliseconds limit) override {
    std::unique_lock lock(database_->mutex);
    database_->waits.push_back(limit);
    database_->changed.wait_for(lock, limit, [&] { return std::exchange(woken_, false); });
  }
  void wake() noexcept override {
    {
      const std::lock_guard lock(database_->mutex);
      woken_ = true;
    }
    database_->changed.notify_all();
  }

 private:
  std::shared_ptr<MaintainedDatabase> database_;
  bool woken_ = false;
};

// One child over a database of its own, with what it logged.
struct MaintenanceRig {
  std::shared_ptr<MaintainedDatabase> database = std::make_shared<MaintainedDatabase>();
  testing::LogLines logged;
  std::shared_ptr<Log> log = logged.log();
  MaintenanceOpener open = [this]() -> Result<std::unique_ptr<MaintenanceStore>> {
    return std::make_unique<MaintenanceSession>(database);
  };

  std::unique_ptr<Supervisor> run(ChildSpec child) {
    std::vector<ChildSpec> children;
    children.push_back(std::move(child));
    auto supervisor = Supervisor::start({.name = "test",
                                         .strategy = Strategy::one_for_one,
                                         .limit = {},
                                         .backoff = {},
                                         .template_spec = {},
                                         .names = {},
                                         .observer = {}},
                                        std::move(children));
    REQUIRE(supervisor.has_value());
    return *std::move(supervisor);
  }
};

}  // namespace

TEST_SUITE("serve: schedules and old runs") {
  TEST_CASE("C5: the ticker sleeps until the next tick is due") {
    MaintenanceRig rig;
    rig.database->next = 7ms;
    const auto supervisor = rig.run(schedule_ticker(rig.open, rig.log));
    REQUIRE(
        rig.database->becomes([](MaintainedDatabase& database) { return database.ticks >= 3; }));
    const std::lock_guard lock(rig.database->mutex);
    CHECK(rig.database->waits[0] == 7ms);
    CHECK(rig.database->waits[1] == 7ms);
  }

  TEST_CASE("C5: the ticker looks now and then where no schedule is due and stops at once") {
    MaintenanceRig rig;
    const auto begin = std::chrono::steady_clock::now();
    {
      const auto supervisor = rig.run(schedule_ticker(rig.open, rig.log));
      REQUIRE(rig.database->becomes(
          [](MaintainedDatabase& database) { return !database.waits.empty(); }));
    }
    CHECK(std::chrono::steady_clock::now() - begin < 20s);
    CHECK(rig.database->waits[0] == 30s);
  }

  TEST_CASE("a database that is away is told once by the ticker and asked again") {
    MaintenanceRig rig;
    rig.database->answers = false;
    {
      const auto supervisor = rig.run(schedule_ticker(rig.open, rig.log));
      REQUIRE(
          rig.database->becomes([](MaintainedDatabase& database) { return database.ticks >= 3; }));
    }
    CHECK(rig.logged.text() == "cannot check the schedules, retrying: away\n");
  }

  TEST_CASE("C7: old runs are pruned batch by batch from where the last one ended") {
    MaintenanceRig rig;
    {
      const auto supervisor = rig.run(retention_keeper({.age = 1h}, rig.open, rig.log));
      REQUIRE(rig.database->becomes(
          [](MaintainedDatabase& database) { return database.batches == 0; }));
    }
    CHECK(rig.database->cursors == std::vector<std::int64_t>{0, 10, 20});
    CHECK(rig.logged.text() == "retention: 3 runs and 0 partitions of the journal deleted\n");
  }

  TEST_CASE("C7: without a retention the keeper keeps house and asks for no turn to prune") {
    MaintenanceRig rig;
    {
      const auto supervisor = rig.run(retention_keeper({}, rig.open, rig.log));
      REQUIRE(rig.database->becomes(
          [](MaintainedDatabase& database) { return database.upkeeps == 1; }));
    }
    CHECK_FALSE(rig.database->prune_requested);
    CHECK(rig.database->cursors.empty());
  }
}

}  // namespace weir
