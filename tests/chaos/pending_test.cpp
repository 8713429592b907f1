// Calls that are pending in a worker process which crashes or is killed.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include "chaos/load.hpp"
#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// `weir serve` and a run of the flow of pending.cpp, all of whose calls are pending.
struct Pending {
  Pending() {
    std::filesystem::create_directory(folder.path() / "begun");
    write_serve_config(folder.path(), {.database = database(),
                                       .plugins = std::filesystem::path(PENDING).parent_path()});
    serve.emplace(folder.path());
    REQUIRE(eventually([&] { return client.store().flow("pending", std::nullopt).has_value(); }));
    std::string input;
    for (std::uint64_t index = 0; index < calls; ++index)
      input +=
          fmt::format(R"({}{{"folder": "{}", "index": {}, "crashes": {}}})", index == 0 ? "[" : ",",
                      folder.path().string(), index, index == crashing);
    run = client.start("pending", input + "]");
    REQUIRE(eventually([&] { return begun() == calls; }));
  }

  std::size_t begun() const {
    const auto notes = std::filesystem::directory_iterator(folder.path() / "begun");
    return static_cast<std::size_t>(std::distance(notes, {}));
  }
  void create(const char* file) const { std::ofstream{folder.path() / file}; }

  // Each call is completed once; and what weir.attempts has of the others, by outcome and error.
  std::string others() {
    const RunReport report = client.wait(run);
    CHECK(report.summary.status == "completed");
    CHECK(query_value("select count(distinct task_index) || ' of ' || count(*) from weir.attempts "
                      "where outcome = 'completed'") == fmt::format("{0} of {0}", calls));
    return query_value(
        "select coalesce(string_agg(n || ' ' || outcome || ' ' || task_index, ', '), '') from "
        "(select count(*) n, outcome || ' ' || coalesce(error_code, '') as outcome, task_index "
        "from weir.attempts where outcome <> 'completed' group by 2, 3) q");
  }

  const std::uint64_t calls = setting("WEIR_CHAOS_PENDING", 500);
  const std::uint64_t crashing = calls / 3;
  TemporaryFolder folder;
  TestClient client;
  std::optional<ServeProcess> serve;
  std::string run;
};

}  // namespace

TEST_SUITE_BEGIN("chaos: pending calls");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F1: a crash is charged to the pending call that caused it and to no other") {
  Pending pending;
  pending.create("crash");
  REQUIRE(eventually([&] { return pending.begun() == 2 * pending.calls; }));
  pending.create("release");
  CHECK(pending.others() == fmt::format("1 failed worker_crashed {}", pending.crashing));
  CHECK(query_value("select string_agg(task_index || ': ' || attempt, ', ') from weir.attempts "
                    "where outcome = 'completed' and attempt <> 1") ==
        fmt::format("{}: 2", pending.crashing));
  CHECK(WEXITSTATUS(pending.serve->terminate()) == 0);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F10: no pending call is charged when the worker process is killed") {
  Pending pending;
  const std::string worker = query_value("select pid from weir.workers where alive");
  REQUIRE(::kill(std::stoi(worker), SIGKILL) == 0);
  REQUIRE(eventually([&] { return pending.begun() > pending.calls; }));
  pending.create("release");
  CHECK(pending.others() == "");
  CHECK(query_value("select max(attempt) from weir.attempts") == "1");
  CHECK(pending.begun() == 2 * pending.calls);
  CHECK(WEXITSTATUS(pending.serve->terminate()) == 0);
}

TEST_SUITE_END();
