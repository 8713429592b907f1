// What one run does, and what somebody does to it, stops no other.
#include <filesystem>
#include <fstream>
#include <optional>

#include <doctest/doctest.h>
#include <fmt/core.h>

#include "chaos/serve_process.hpp"
#include "integration/worker/worker_rig.hpp"
#include "support/admin_session.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

// `weir serve` with the flows of edges.cpp, and a run that goes on until it may end.
struct ServeWithInnocent {
  explicit ServeWithInnocent(std::chrono::seconds lease) {
    write_serve_config(folder.path(), {.database = database(),
                                       .plugins = std::filesystem::path(EDGES).parent_path(),
                                       .lease = lease});
    process.emplace(folder.path());
    for (const char* flow : {"chunks", "held", "small_flow", "family"})
      REQUIRE(eventually([&] { return client.store().flow(flow, std::nullopt).has_value(); }));
    innocent = client.start("held", std::string(Json::string(file.string()).text()));
    REQUIRE(eventually([&] {
      return query_value("select count(*) from weir.attempts where outcome = 'running'") == "1";
    }));
  }
  ~ServeWithInnocent() { end_innocent(); }
  void end_innocent() const { std::ofstream(file) << "now"; }

  // The run has ended well, its worker has had one life, and nothing was charged.
  void check_innocent() {
    end_innocent();
    CHECK(client.wait(innocent).summary.status == "completed");
    CHECK(query_value("select count(*) from weir.workers") == "1");
    CHECK(query_value("select count(*) from weir.attempts where outcome = 'lost'") == "0");
  }

  TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "now";
  std::optional<ServeProcess> process;
  TestClient client;
  std::string innocent;
};

}  // namespace

TEST_SUITE_BEGIN("chaos: edges");

TEST_CASE_FIXTURE(EmptyDatabase, "P7: a run whose output is too large fails beside others") {
  ServeWithInnocent serve(std::chrono::seconds(60));  // a sanitizer reads 135 MB slowly
  std::string sizes = "15000000";
  for (int i = 1; i < 9; ++i) sizes += ", 15000000";
  const std::string large = serve.client.start("chunks", "[" + sizes + "]");
  const std::string small = serve.client.start("small_flow", "null");
  CHECK(serve.client.wait(small).summary.status == "completed");
  const std::string run = fmt::format("from weir.runs where run_id = '{}'", large);
  CHECK(eventually([&] { return query_value("select ended_at is not null " + run) == "t"; }));
  CHECK(query_value("select error like 'the output of the run has 135000%' " + run) == "t");
  serve.check_innocent();
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L8: a transaction that is left open longer than a lease stops no other run") {
  ServeWithInnocent serve(std::chrono::seconds(3));
  AdminSession user(database());
  user.run("begin");
  user.run(fmt::format("select weir.cancel('{}', 'enough')", serve.innocent));
  serve.end_innocent();
  const auto renewed = [] {
    return query_value("select lease_until from weir.worker where ended_at is null");
  };
  for (int lease = 0; lease < 4; ++lease) {
    const std::string before = renewed();
    CHECK(serve.client.run("small_flow", "null").summary.status == "completed");
    CHECK(eventually([&] {
      return query_value(fmt::format("select lease_until > '{}'::timestamptz + interval '1 s' from "
                                     "weir.worker where ended_at is null",
                                     before)) == "t";
    }));
  }
  user.run("rollback");
  serve.check_innocent();
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "L1: child runs whose starts take longer than a lease cost no lease") {
  ServeWithInnocent serve(std::chrono::seconds(3));
  // Each commit that starts child runs takes 10 ms: 600 of them take two leases.
  AdminSession user(database());
  user.run(
      "create function public.slow_commit() returns trigger language plpgsql as $$ begin if "
      "coalesce(current_setting('test.slept', true), '') = '' then perform "
      "set_config('test.slept', 't', true); perform pg_sleep(0.01); end if; return null; end $$");
  user.run(
      "create constraint trigger slow_commit after insert on weir.run deferrable initially "
      "deferred "
      "for each row when (new.parent_run is not null) execute function public.slow_commit()");
  query_value(
      "select count(*) from weir.start_many('family', array_fill('null'::jsonb, array[200]))");
  CHECK(eventually([&] {
    return query_value(
               "select count(*) from weir.runs where flow = 'family' and status = "
               "'completed'") == "200";
  }));
  CHECK(query_value("select count(*) from weir.runs where flow = 'small_flow'") == "600");
  serve.check_innocent();
}

TEST_SUITE_END();
