#include <atomic>

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"

using namespace weir;
using namespace weir::testing;

TEST_SUITE_BEGIN("worker: inputs");

TEST_CASE_FIXTURE(
    EmptyDatabase,
    "S3: an input that the database cannot check is refused before the first handler") {
  std::atomic<int> calls = 0;
  TestFlow flow("coded", {{"a", [&](TestCall& call) { return ++calls, call.output("1"); }}});
  flow.set_input_schema(
      R"({"type": "object", "properties": {"code": {"pattern": "^x", "maxLength": 2}}})");
  const RunningWorker worker({&flow});
  TestClient client;
  // As from SQL: Client would refuse it.
  const auto started = client.store().start("coded", {Json::trusted(R"({"code": "y"})")}, {});
  REQUIRE_MESSAGE(started.has_value(), to_string(started.error()));
  const std::string id = started->front().id;
  const RunReport report = client.wait(id);
  CHECK(report.summary.status == "failed");
  REQUIRE(report.summary.error.has_value());
  CHECK(report.summary.error->starts_with("invalid_input: /code: "));
  CHECK(calls == 0);
  CHECK(query_value("select count(*) from weir.journal") == "0");

  // Retried it has the same input.
  const auto retried = client.store().retry(id);
  REQUIRE_MESSAGE(retried.has_value(), to_string(retried.error()));
  CHECK(client.wait(id).summary.status == "failed");
  CHECK(calls == 0);

  CHECK(client.run("coded", R"({"code": "xy"})").summary.status == "completed");
  CHECK(client.store().start("coded", {Json::trusted(R"({"code": "xyz"})")}, {}).error().message ==
        "/code: has 3 characters, expected at most 2");
}

TEST_SUITE_END();
