// Slots that long tasks hold: nobody waits behind them while there is room elsewhere.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/wait.h>

#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// `weir serve` with the steps of until.cpp, in a folder of its own.
struct Serve {
  Serve() {
    write_serve_config(folder.path(), {.database = database(),
                                       .plugins = std::filesystem::path(UNTIL).parent_path()});
    process.emplace(folder.path());
    TestClient client;
    for (const char* flow : {"quick", "sleeper", "deaf", "crash"})
      REQUIRE(eventually([&] { return client.store().flow(flow, std::nullopt).has_value(); }));
  }

  std::string log() const {
    std::ifstream file(folder.path() / "serve.log");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  TemporaryFolder folder;
  std::optional<ServeProcess> process;
};

// The file that the steps run until.
struct Until {
  std::filesystem::path path;
  Json input() const {
    return Json::object(
        std::vector<std::pair<std::string, Json>>{{"file", Json::string(path.string())}});
  }
  void create() const { std::ofstream(path) << "now"; }
  ~Until() { create(); }
};

std::size_t count(const std::string& of) {
  return std::stoull(query_value("select count(*) from " + of));
}

std::size_t lines_with(std::string_view text, const std::string& log) {
  std::size_t lines = 0;
  for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++lines;
  return lines;
}

// Has all slots run handlers that ignore their stop tokens, and cancels their runs. `begun`: how many
// began before.
void leave_behind(const Serve& serve, TestClient& client, const Until& until, std::size_t begun) {
  const auto started = client_on(client.store()).start_many("deaf", std::vector(8, until.input()));
  REQUIRE_MESSAGE(started.has_value(), to_string(started.error()));
  REQUIRE(eventually([&] { return lines_with("deaf.wait: begun", serve.log()) == begun + 8; }));
  for (const StartedRun& run : *started) CHECK(client.store().cancel(run.id, "").has_value());
}

// How long the quick runs waited for their ends, in seconds.
std::string waited(const std::string& percentile) {
  return query_value(
      "select (percentile_cont(" + percentile +
      ") within group (order by extract(epoch from ended_at - available_at)))::numeric(10, 2) "
      "from weir.runs where flow = 'quick'");
}

}  // namespace

TEST_SUITE_BEGIN("chaos: slots");

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F4: handlers that ignore that their runs were cancelled give up their slots") {
  const Serve serve;
  TestClient client;
  client.run("quick", "null");
  const std::filesystem::path tasks =
      fmt::format("/proc/{}/task", query_value("select pid from weir.workers"));
  const auto threads = [&] {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(tasks), {}));
  };
  const std::size_t before = threads();
  for (std::size_t round = 0; round < 3; ++round) {
    const Until until{serve.folder.path() / fmt::format("now-{}", round)};
    leave_behind(serve, client, until, 8 * round);
    CHECK(client.run("quick", "null").summary.status == "completed");
    CHECK(eventually([&] {
      return lines_with("ignores its stop token and keeps its thread", serve.log()) ==
             8 * round + 8;
    }));
    until.create();
    CHECK(eventually([&] { return threads() < before + 8; }));
    CHECK(eventually([&] {
      return lines_with("the late result of deaf.wait is refused", serve.log()) == 8 * round + 8;
    }));
  }
  MESSAGE(fmt::format("a quick run waited {} s at most", waited("1")));
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "F1: a crash is charged to its attempt though many handlers were left behind") {
  const Serve serve;
  TestClient client;
  const Until until{serve.folder.path() / "now"};
  for (std::size_t round = 0; round < 5; ++round) leave_behind(serve, client, until, 8 * round);
  const RunReport report = client.run("crash", "null");
  CHECK(*report.summary.error == "step \"act\" failed after 1 attempt: " +
                                     query_value("select error from weir.attempts a where "
                                                 "a.error_code = 'worker_crashed'"));
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L9: quick runs that one worker holds behind long tasks end on another") {
  const Serve first;
  const Until until{first.folder.path() / "now"};
  const std::string quick = "weir.start_many('quick', array_fill('null'::jsonb, array[2000]))";
  count(quick);  // once they are done, the worker holds many such runs at a time
  REQUIRE(eventually([] { return count("weir.open_run") == 0; }));
  count(
      fmt::format("(select from {} union all select from weir.start_many('sleeper', "
                  "array_fill('{}'::jsonb, array[8]), priority => 100)) as started",
                  quick, until.input().text()));
  const Serve second;
  const auto waiting = [] { return count("weir.runs where flow = 'quick' and ended_at is null"); };
  CHECK(eventually([&] { return waiting() == 0; }));
  MESSAGE(fmt::format("{} quick runs wait, the others waited {} s at the median, {} s at most",
                      waiting(), waited("0.5"), waited("1")));
  CHECK(count("weir.attempts where attempt > 1 or outcome not in ('completed', 'running')") == 0);
  CHECK(count("weir.runs where flow = 'sleeper' and ended_at is null") == 8);
  until.create();
  CHECK(eventually([] { return count("weir.open_run") == 0; }));
}

TEST_SUITE_END();
