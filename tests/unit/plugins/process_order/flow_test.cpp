#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"
#include "unit/plugins/flow_run.hpp"

namespace {

using weir::testing::FlowRun;
using weir::testing::TemporaryFolder;

std::string run(const std::string& order_id, const std::string& amount, const std::string& ledger) {
  return FlowRun("{\"order_id\": " + order_id + ", \"amount\": " + amount + ", \"ledger\": \"" +
                 ledger + "\"}")
      .result();
}

}  // namespace

TEST_SUITE("plugins: process_order") {
  TEST_CASE("an order ends with its confirmation and again with the same") {
    const TemporaryFolder folder;
    const std::string ledger = (folder.path() / "ledger").string();
    const std::string confirmed =
        "{\"order_id\":123,\"confirmation\":\"" + ledger + "/outbox/order-123.txt\"}";
    CHECK(run("123", "99.99", ledger) == confirmed);
    CHECK(run("123", "99.99", ledger) == confirmed);
    CHECK(run("123", "99.98", ledger) ==
          "charge_payment: charge_refused: order 123 is already charged with 99.99 in " + ledger +
              "/order-123.json, so it cannot be charged with 99.98");
  }

  TEST_CASE("an order that cannot be charged fails at validation") {
    const TemporaryFolder folder;
    const std::string ledger = folder.path().string();
    CHECK(run("0", "1", ledger) == "validate: invalid_order: order_id 0 is not positive");
    CHECK(run("1", "-1", ledger) == "validate: invalid_order: amount -1 is not positive");
    CHECK(run("1", "1", "") ==
          "validate: unusable_ledger: ledger is empty: name the folder that keeps the entries");
    CHECK(std::filesystem::is_empty(folder.path()));
  }

  TEST_CASE("every sample order can be charged") {
    const TemporaryFolder folder;
    std::ifstream file(WEIR_SOURCE_DIR "/plugins/process_order/orders.json");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const boost::json::value orders = boost::json::parse(text);
    CHECK(orders.as_array().size() == 12);
    for (const auto& order : orders.as_array()) {
      CHECK(order.at("ledger") == "ledger");
      const std::string id = std::to_string(order.at("order_id").as_int64());
      CHECK(run(id, boost::json::serialize(order.at("amount")), folder.path()) ==
            "{\"order_id\":" + id + ",\"confirmation\":\"" + folder.path().string() +
                "/outbox/order-" + id + ".txt\"}");
    }
  }
}
