#include <atomic>
#include <latch>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/client.hpp>

#include "integration/worker/worker_rig.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

Client connected(ClientOptions options = {}) {
  auto client = Client::connect(database(), options);
  REQUIRE_MESSAGE(client, (client ? "" : to_string(client.error())));
  return *std::move(client);
}

const TestFlow& echo() {
  static const TestFlow flow("echo",
                             {{"say", [](TestCall& call) { return call.output(call.input); }}});
  return flow;
}

/// Until a worker has brought it to the database.
void known(Client& client, const std::string& flow) {
  REQUIRE(eventually([&] { return client.check_input(flow, Json()).has_value(); }));
}

}  // namespace

TEST_SUITE_BEGIN("client: programs");

TEST_CASE("a database that is not there or not prepared is told by kind") {
  CHECK(Client::connect("postgresql:///nothing?host=/nonsense").error().kind == "database_away");
  const TestDatabase empty;
  CHECK(Client::connect(empty.url()).error().kind == "not_migrated");
}

TEST_CASE_FIXTURE(EmptyDatabase, "S4: callers on many threads that race for a key get one run") {
  const RunningWorker worker({&echo()});
  Client client = connected({.sessions_max = 3});
  known(client, "echo");
  std::mutex mutex;
  std::set<std::string> ids;
  std::atomic<int> created = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 12; ++i)
      threads.emplace_back([&] {
        const auto run = client.start("echo", Json::number(7), {.idempotency_key = "k"});
        if (!run) return;
        created += run->created ? 1 : 0;
        const std::scoped_lock lock(mutex);
        ids.insert(run->id);
      });
  }
  CHECK(ids.size() == 1);
  CHECK(created == 1);
  CHECK(client.wait(*ids.begin(), 30s)->output->text() == R"({"say": 7})");
}

TEST_CASE_FIXTURE(EmptyDatabase, "S1: a run has the id and options that its start chose") {
  const RunningWorker worker({&echo()});
  Client client = connected();
  known(client, "echo");
  const std::string id = new_run_id();
  const auto run = client.start("echo", Json(),
                                {.run_id = id, .delay = 1h, .priority = 9, .tags = {"a", "b c"}});
  REQUIRE(run);
  CHECK(run->id == id);
  CHECK(client.start("echo", Json(), {.run_id = id}).error().code == ErrorCode::conflict);
  const auto summary = client.summary(id);
  REQUIRE(summary);
  CHECK(summary->status == "queued");
  CHECK(summary->priority == 9);
  CHECK(summary->tags == std::vector<std::string>{"a", "b c"});
  CHECK(client.runs({.tag = "b c"})->size() == 1);
  CHECK(client.runs({.tag = "b"})->empty());
}

TEST_CASE_FIXTURE(EmptyDatabase, "C1: cancel ends a run and C3: retry has it go on") {
  const RunningWorker worker({&echo()});
  Client client = connected();
  known(client, "echo");
  REQUIRE(client.pause("echo"));
  const auto run = client.start("echo", Json::number(1));
  REQUIRE(run);
  CHECK(*client.cancel(run->id, "not today"));
  CHECK(client.summary(run->id)->status == "cancelled");
  CHECK(client.summary(run->id)->error == "not today");
  CHECK_FALSE(*client.cancel(run->id));
  CHECK(*client.retry(run->id) == 0);
  REQUIRE(client.resume("echo"));
  const auto end = client.wait(run->id, 30s);
  REQUIRE(end);
  CHECK(end->summary.status == "completed");
  CHECK(client.retry(run->id).error().kind == "run_not_failed");
  const auto attempts = client.attempts(run->id);
  REQUIRE(attempts);
  REQUIRE(attempts->size() == 1);
  CHECK(attempts->front().step == "say");
  CHECK(attempts->front().outcome == "completed");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C2: nothing of a paused flow is begun until it is resumed") {
  const RunningWorker worker({&echo()});
  Client client = connected();
  known(client, "echo");
  CHECK(*client.pause("echo"));
  CHECK_FALSE(*client.pause("echo"));
  const auto run = client.start("echo", Json());
  REQUIRE(run);
  const auto waited = client.wait(run->id, 200ms);
  REQUIRE_FALSE(waited);
  CHECK(waited.error().kind == "still_running");
  CHECK(*client.resume("echo"));
  const auto end = client.wait(run->id, 30s);
  REQUIRE_MESSAGE(end, end.error().message);
  CHECK(end->summary.status == "completed");
  CHECK(client.pause("ehco").error().hint == "did you mean \"echo\"?");
}

TEST_CASE_FIXTURE(EmptyDatabase, "C4: a signal ends a wait and its payload is the output") {
  const TestFlow asking("asking", {TestFlow::wait("approved", {}, 3'600'000)});
  const RunningWorker worker({&asking});
  Client client = connected();
  known(client, "asking");
  const auto run = client.start("asking", Json());
  REQUIRE(run);
  REQUIRE(eventually([&] { return client.report(run->id)->steps.front().until.has_value(); }));
  CHECK(client.report(run->id)->steps.front().signal == "approved");
  CHECK(client.signal(run->id, "aproved").error().code == ErrorCode::not_found);
  CHECK(*client.signal(run->id, "approved", Json::string("yes")));
  const auto end = client.wait(run->id, 30s);
  REQUIRE(end);
  CHECK(end->output->text() == R"({"approved": {"payload": "yes", "signalled": true}})");
  CHECK(client.signal(run->id, "approved").has_value());
}

TEST_CASE_FIXTURE(EmptyDatabase, "E1: listeners hear of their runs and of no others") {
  const TestFlow other("other", {{"say", [](TestCall& call) { return call.output("1"); }}});
  const RunningWorker worker({&echo(), &other});
  Client client = connected();
  known(client, "other");
  std::mutex mutex;
  std::vector<RunEvent> all;
  std::vector<RunEvent> echoes;
  const auto into = [&](std::vector<RunEvent>& events) {
    return Listener{.on_event = [&](const RunEvent& event) {
      const std::scoped_lock lock(mutex);
      events.push_back(event);
    }};
  };
  const auto to_all = client.listen(into(all));
  REQUIRE(to_all);
  auto to_echo = client.listen(into(echoes), {.flow = "echo"});
  REQUIRE(to_echo);
  CHECK(query_value("select count(*) from weir.listening where until > now()") == "1");

  // Workers learn with their next exchange that somebody listens.
  const auto events_of = [&](const std::vector<RunEvent>& events, const std::string& id) {
    const std::scoped_lock lock(mutex);
    std::vector<std::string> names;
    for (const RunEvent& event : events)
      if (event.run_id == id) names.push_back(event.name);
    return names;
  };
  REQUIRE(eventually([&] {
    const auto first = client.start("other", Json());
    REQUIRE(client.wait(first->id, 30s));
    return !events_of(all, first->id).empty();
  }));
  const auto run = client.start("echo", Json::number(1));
  REQUIRE(client.wait(run->id, 30s));
  const std::vector<std::string> expected = {"run:started", "step:say:started",
                                             "step:say:completed", "run:completed"};
  CHECK(eventually([&] { return events_of(echoes, run->id) == expected; }));
  CHECK(events_of(all, run->id) == expected);
  {
    const std::scoped_lock lock(mutex);
    for (const RunEvent& event : echoes) CHECK(event.flow == "echo");
  }

  const auto asleep = client.start("echo", Json(), {.delay = 1h});
  REQUIRE(asleep);
  CHECK(*client.cancel(asleep->id));
  CHECK(eventually(
      [&] { return events_of(echoes, asleep->id) == std::vector<std::string>{"run:cancelled"}; }));

  *to_echo = Listening();
  const std::size_t before = echoes.size();
  const auto later = client.start("echo", Json::number(2));
  REQUIRE(client.wait(later->id, 30s));
  CHECK(eventually([&] { return events_of(all, later->id) == expected; }));
  CHECK(echoes.size() == before);
}

TEST_CASE_FIXTURE(EmptyDatabase,
                  "E1: a listener whose connection broke is told that it missed some") {
  Client client = connected();
  std::atomic<int> gaps = 0;
  auto listening = client.listen({.on_gap = [&] { ++gaps; }});
  REQUIRE(listening);
  {
    const DatabaseAway away;
  }
  CHECK(eventually([&] { return gaps == 1; }));
  CHECK(eventually([&] { return client.workers_alive().has_value(); }));
  *listening = Listening();
  CHECK(eventually([&] {
    return query_value(
               "select count(*) from weir.listening where until > now() + interval '25 s'") == "0";
  }));
}

TEST_CASE_FIXTURE(EmptyDatabase, "L6: a cancel during which the connection breaks is made again") {
  const RunningWorker worker({&echo()});
  Client client = connected();
  known(client, "echo");
  const auto run = client.start("echo", Json(), {.delay = 1h});
  REQUIRE(run);
  std::optional<Result<bool>> cancelled;
  std::thread cancelling;
  const auto session = postgres::Session::open(database());
  REQUIRE(session);
  const auto done = (*session)->transact([&](pqxx::work& transaction) {
    transaction.exec("select from weir.open_run for update");
    cancelling = std::thread([&] { cancelled.emplace(client.cancel(run->id)); });
    CHECK(eventually([] {  // it waits for the run's row, and its session ends
      return query_value(
                 "select count(pg_terminate_backend(pid)) from pg_stat_activity where "
                 "datname = current_database() and wait_event_type = 'Lock'") == "1";
    }));
  });
  CHECK(done.has_value());
  cancelling.join();
  REQUIRE_MESSAGE(cancelled->has_value(), to_string(cancelled->error()));
  CHECK(**cancelled);
  CHECK(client.summary(run->id)->status == "cancelled");
}

TEST_CASE_FIXTURE(EmptyDatabase, "a Listening may end inside its own call and outlive its client") {
  std::optional<Client> client = connected();
  std::optional<Listening> own;
  std::atomic<int> calls = 0;
  std::latch listens(1);
  auto made = client->listen({.on_event = [&](const RunEvent&) {
    listens.wait();
    ++calls;
    own.reset();
  }});
  REQUIRE(made);
  own = *std::move(made);
  auto late = client->listen({});
  listens.count_down();
  const std::string payload = R"([{"event":"run:started","flow":"f","run_id":"r"}])";
  query_value("select pg_notify('weir_events', '" + payload + "')::text");
  CHECK(eventually([&] { return calls == 1; }));
  query_value("select pg_notify('weir_events', '" + payload + "')::text");
  client.reset();
  CHECK(calls == 1);
  late = Listening();
}

TEST_SUITE_END();
