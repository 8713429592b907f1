#include <atomic>
#include <csignal>
#include <random>

#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/worker/worker_rig.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

/// A table of the users', beside Weir's.
struct WithPayments : EmptyDatabase {
  WithPayments() {
    pqxx::connection connection(database());
    pqxx::work work(connection);
    work.exec(
        "drop table if exists public.payment; create table public.payment (run_id uuid not null)");
    work.commit();
  }
  static std::string payments() { return query_value("select count(*) from public.payment"); }
};

/// A transaction of a handler's own, on a connection of its own.
class Payment {
 public:
  Payment() : connection_(database()), work_(connection_) {}
  void insert(const TestCall& call) {
    work_.exec("insert into public.payment values ('" + call.fact("run_id") + "')");
  }
  void exec(const std::string& sql) { work_.exec(sql); }
  void commit() { work_.commit(); }

 private:
  pqxx::connection connection_;
  pqxx::work work_;
};

std::int32_t pay(TestCall& call, std::string_view output = "1") {
  Payment payment;
  payment.insert(call);
  payment.exec(call.settlement(output).text);
  payment.commit();
  return call.output("\"not looked at\"");
}

std::string outcomes() {
  return query_value(
      "select string_agg(outcome || coalesce(' ' || error_code, ''), ', ' order by "
      "attempt) from weir.attempts");
}

}  // namespace

TEST_SUITE_BEGIN("worker: settling in a handler's transaction");

TEST_CASE_FIXTURE(WithPayments, "C9: a step's effect and its completion commit together") {
  const TestFlow flow("pay",
                      {{"s", [](TestCall& call) { return pay(call, R"({"n": "it's €"})"); }},
                       {"after", [](TestCall& call) { return call.output(call.input); }, {"s"}}});
  const RunningWorker worker({&flow});
  const RunReport report = TestClient().run("pay", "null");
  CHECK(report.summary.status == "completed");
  CHECK(report.output->text() == R"({"after": {"s": {"n": "it's €"}}})");
  CHECK(payments() == "1");
}

TEST_CASE_FIXTURE(WithPayments, "C9: a failure after the commit changes nothing any more") {
  const TestFlow flow("pay", {{"s", [](TestCall& call) {
                                 pay(call);
                                 return call.fail("too late", WEIR_FAILED_FOR_GOOD);
                               }}});
  const RunningWorker worker({&flow});
  CHECK(TestClient().run("pay", "null").summary.status == "completed");
  CHECK(payments() == "1");
  CHECK(outcomes() == "completed");
}

TEST_CASE_FIXTURE(WithPayments, "C9: returning without a commit is a failed attempt") {
  const TestFlow flow("pay", {{"s",
                               [](TestCall& call) {
                                 if (call.fact("attempt") == "2") return pay(call);
                                 Payment payment;
                                 payment.insert(call);
                                 payment.exec(call.settlement("1").text);
                                 return call.output("1");
                               },
                               {},
                               "single",
                               {.base_delay_ms = 1}}});
  const RunningWorker worker({&flow});
  CHECK(TestClient().run("pay", "null").summary.status == "completed");
  CHECK(payments() == "1");
  CHECK(outcomes() == "failed not_settled, completed");
}

TEST_CASE_FIXTURE(WithPayments,
                  "C9: an exchange does not wait for an open transaction whose attempt times out") {
  std::atomic<bool> settled = false, go = false;
  const TestFlow slow("pay", {{"s",
                               [&](TestCall& call) {
                                 Payment payment;
                                 payment.insert(call);
                                 payment.exec(call.settlement("1").text);
                                 settled = true;
                                 while (!go) std::this_thread::sleep_for(1ms);
                                 payment.commit();
                                 return call.output("1");
                               },
                               {},
                               "single",
                               {.timeout_ms = 200}}});
  const TestFlow other("other", {{"s", returns("1")}});
  const RunningWorker worker({&slow, &other});
  TestClient client;
  const std::string id = client.start("pay", "null");
  REQUIRE(eventually([&] { return settled.load(); }));
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() < begun + 1'500ms)  // past timeout and grace
    REQUIRE(client.run("other", "null").summary.status == "completed");
  CHECK(client.store().summary(id)->status == "running");
  go = true;
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(payments() == "1");
  CHECK(outcomes().find("timed_out") == std::string::npos);
}

TEST_CASE_FIXTURE(WithPayments, "C9: a transaction that comes after the timeout is refused") {
  std::atomic<int> calls = 0;
  std::atomic<bool> refused = false;
  const TestFlow flow("pay", {{"s",
                               [&](TestCall& call) {
                                 if (++calls > 1) return pay(call);
                                 const std::string sql = call.settlement("1").text;
                                 while (outcomes().find("timed_out") == std::string::npos)
                                   std::this_thread::sleep_for(1ms);
                                 Payment payment;
                                 payment.insert(call);
                                 try {
                                   payment.exec(sql);
                                 } catch (const std::exception&) {
                                   refused = true;
                                 }
                                 return call.output("1");
                               },
                               {},
                               "single",
                               {.base_delay_ms = 1, .timeout_ms = 200}}});
  const RunningWorker worker({&flow});
  CHECK(TestClient().run("pay", "null").summary.status == "completed");
  CHECK(eventually([&] { return refused.load(); }));
  CHECK(payments() == "1");
  CHECK(outcomes() == "timed_out timed_out, completed");
}

TEST_CASE_FIXTURE(WithPayments, "C9: a run that fails ends once an open settlement is decided") {
  std::atomic<bool> settled = false, go = false;
  const TestFlow flow("pay", {{"bad",
                               [&](TestCall& call) {
                                 while (!settled) std::this_thread::sleep_for(1ms);
                                 return call.fail("no", WEIR_FAILED_FOR_GOOD);
                               }},
                              {"s", [&](TestCall& call) {
                                 Payment payment;
                                 payment.insert(call);
                                 payment.exec(call.settlement("1").text);
                                 settled = true;
                                 while (!go) std::this_thread::sleep_for(1ms);
                                 payment.commit();
                                 return call.output("1");
                               }}});
  const TestFlow other("other", {{"s", returns("1")}});
  const RunningWorker worker({&flow, &other});
  TestClient client;
  const std::string id = client.start("pay", "null");
  REQUIRE(eventually([] {
    return query_value("select count(*) from weir.attempts where outcome = 'failed_for_good'") ==
           "1";
  }));
  CHECK(client.run("other", "null").summary.status == "completed");
  CHECK(client.store().summary(id)->status == "running");
  go = true;
  CHECK(client.wait(id).summary.status == "failed");
  CHECK(payments() == "1");
  CHECK(query_value("select outcome from weir.attempts where run_id = '" + id +
                    "' and step = 's'") == "completed");
}

TEST_CASE_FIXTURE(WithPayments,
                  "C9: the settlement of an attempt that another worker has is refused") {
  std::atomic<int> calls = 0;
  std::atomic<bool> freed = false, refused = false;
  const TestFlow flow("pay", {{"s", [&](TestCall& call) {
                                 if (++calls > 1) return pay(call);
                                 const std::string sql = call.settlement("1").text;
                                 while (!freed) std::this_thread::sleep_for(1ms);
                                 Payment payment;
                                 payment.insert(call);
                                 try {
                                   payment.exec(sql);
                                 } catch (const std::exception&) {
                                   refused = true;
                                 }
                                 return call.output("1");
                               }}});
  const RunningWorker worker({&flow});
  TestClient client;
  const std::string id = client.start("pay", "null");
  REQUIRE(eventually([&] { return calls == 1; }));
  sweep_all_workers();
  freed = true;
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(eventually([&] { return refused.load(); }));
  CHECK(payments() == "1");
}

TEST_CASE_FIXTURE(WithPayments, "C9: a sweep leaves a run that is just being settled to the next") {
  std::atomic<bool> settled = false, go = false;
  const TestFlow flow("pay", {{"s", [&](TestCall& call) {
                                 Payment payment;
                                 payment.insert(call);
                                 payment.exec(call.settlement("1").text);
                                 settled = true;
                                 while (!go) std::this_thread::sleep_for(1ms);
                                 payment.commit();
                                 return call.output("1");
                               }}});
  WorkerOptions options = RunningWorker::quick();
  options.sweeps = false;
  const RunningWorker worker({&flow}, options);
  TestClient client;
  const std::string id = client.start("pay", "null");
  REQUIRE(eventually([&] { return settled.load(); }));
  CHECK(sweep_all_workers() == "0");
  CHECK(query_value("select count(*) from weir.open_run where worker_id is not null") == "1");
  go = true;
  CHECK(eventually([] { return payments() == "1"; }));
  query_value("select weir.sweep()");  // unless its worker, which lives, has left before
  CHECK(client.wait(id).summary.status == "completed");
  CHECK(payments() == "1");
  CHECK(outcomes() == "completed");
}

TEST_CASE_FIXTURE(WithPayments, "C9: an output that no step may return has no settlement") {
  std::string why;
  const TestFlow flow("pay", {{"s",
                               [&](TestCall& call) {
                                 const auto [outcome, text] = call.settlement("\"too long\"");
                                 if (outcome != WEIR_OK) why = text;
                                 return call.output("1");
                               },
                               {},
                               "single",
                               {.max_output_bytes = 4}}});
  const RunningWorker worker({&flow});
  CHECK(TestClient().run("pay", "null").summary.status == "completed");
  CHECK(why == "the output has 10 bytes, more than max_output allows: 4");
}

TEST_CASE_FIXTURE(WithPayments,
                  "C9: whatever moment a worker is killed at each run has exactly one row") {
  constexpr std::uint64_t runs = 60, kills = 3;
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const TestFlow flow(
      "pay", {{"s", [](TestCall& call) { return pay(call); }}, {"after", returns("2"), {"s"}}});
  // No thread and no session of this process may be there when it forks.
  for (std::uint64_t round = 0; round < kills; ++round) {
    const pid_t worker = ::fork();
    REQUIRE(worker >= 0);
    if (worker == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const RunningWorker serving({&flow});
      for (;;) ::pause();
    }
    {
      TestClient client;
      REQUIRE(eventually([&] { return client.store().workers_alive().value_or(0) > 0; }));
      REQUIRE(client_on(client.store())
                  .start_many("pay", std::vector<Json>(runs / kills, Json()))
                  .has_value());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
    REQUIRE(::kill(worker, SIGKILL) == 0);
    REQUIRE(::waitpid(worker, nullptr, 0) == worker);
    query_value(
        "update weir.worker set lease_until = now() - interval '1 s' where ended_at is null "
        "returning id");
    CHECK(eventually([] {
      query_value("select weir.sweep()");
      return query_value("select count(*) from weir.open_run where worker_id is not null") == "0";
    }));
  }
  const RunningWorker last({&flow});
  CHECK(eventually([] { return query_value("select count(*) from weir.open_run") == "0"; }));
  CHECK(query_value("select count(*) from weir.runs where status = 'completed'") ==
        std::to_string(runs));
  CHECK(query_value("select count(*) || ' ' || count(distinct run_id) from public.payment") ==
        "60 60");
}

TEST_SUITE_END();
