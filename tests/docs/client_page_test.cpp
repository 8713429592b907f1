// What docs/client.md shows, taken from the page as it stands, does what the page says.
#include "client_page.hpp"

#include <doctest/doctest.h>

#include "integration/worker/worker_rig.hpp"
#include "support/test_database.hpp"

using namespace weir;
using namespace weir::testing;

namespace {

const TestFlow& order_flow() {
  static const TestFlow flow("order", {{"pay", [](TestCall& call) {
                                          if (call.input.contains("vip"))
                                            return call.fail("no", WEIR_FAILED_FOR_GOOD);
                                          return call.output(call.input);
                                        }}});
  return flow;
}

struct OrderShop : EmptyDatabase {
  OrderShop() {
    pqxx::connection connection(database());
    pqxx::nontransaction(connection)
        .exec("drop table if exists public.orders; create table public.orders (id int)");
  }
  Client client = *Client::connect(database());
};

}  // namespace

TEST_SUITE_BEGIN("docs: client");

TEST_CASE_FIXTURE(OrderShop, "S1: the order on the page is placed and gives its output") {
  const RunningWorker worker({&order_flow()});
  REQUIRE(eventually([&] { return client.check_input("order", Json()).has_value(); }));
  const auto output = place(client, {.order_id = 7, .amount = 9.5});
  REQUIRE(output);
  CHECK(output->contains("\"order_id\""));
  const auto runs = client.runs({.tag = "shop"});
  REQUIRE(runs);
  REQUIRE(runs->size() == 1);
  CHECK(runs->front().priority == 10);
}

TEST_CASE_FIXTURE(OrderShop,
                  "S5: a start inside a transaction that rolls back leaves nothing and one that "
                  "commits runs") {
  const RunningWorker worker({&order_flow()});
  REQUIRE(eventually([&] { return client.check_input("order", Json()).has_value(); }));
  pqxx::connection connection(database());
  REQUIRE(order_with_pqxx(connection, true) == "");
  CHECK(client.runs()->empty());
  CHECK(query_value("select count(*) from public.orders") == "0");
  const auto run = order_with_pqxx(connection, false);
  REQUIRE(run);
  CHECK(query_value("select count(*) from public.orders") == "1");
  const auto end = client.wait(*run, std::chrono::seconds(30));
  REQUIRE(end);
  CHECK(end->summary.status == "completed");
  CHECK(query_value("select input->>'note' from weir.runs") == "O'Neill \\ söhne");

  PGconn* const raw = PQconnectdb(database().c_str());
  const std::string undone = order_with_libpq(raw, true);
  CHECK(client.summary(undone).error().kind == "not_found");
  const std::string done = order_with_libpq(raw, false);
  CHECK(client.wait(done, std::chrono::seconds(30))->summary.status == "completed");
  PQfinish(raw);
}

TEST_CASE_FIXTURE(OrderShop, "E1: the listener on the page counts ends and looking finds them") {
  const RunningWorker worker({&order_flow()});
  REQUIRE(eventually([&] { return client.check_input("order", Json()).has_value(); }));
  std::atomic<int> ends = 0;
  std::atomic<int> gaps = 0;
  const auto listening = count_ends(client, ends, gaps);
  REQUIRE(listening);
  REQUIRE(eventually([&] {
    const auto run = client.start("order", *Json::parse(R"({"vip": true})"));
    REQUIRE(client.wait(run->id, std::chrono::seconds(30)));
    return ends > 0;
  }));
  CHECK(gaps == 0);
  const auto steps = failed_steps_today(client);
  REQUIRE(steps);
  CHECK(steps->front() == "pay: no");
  CHECK(approve(client, client.runs()->front().id).error().code == ErrorCode::not_found);
}

TEST_SUITE_END();
