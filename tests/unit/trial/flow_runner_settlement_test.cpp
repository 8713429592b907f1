#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <weir/flow.hpp>
#include <weir/testing/flow_runner.hpp>

#include "unit/trial/refusal.hpp"

using namespace std::chrono_literals;
using weir::testing::FinishedRun;
using weir::testing::FlowRunner;
using weir::testing::refusal;

namespace {

// What the handler has in the place of a database: a ledger, and transactions that end as the
// runner says.
struct Shop {
  std::vector<int> ledger;
  std::function<bool(std::string_view)> commit;
  std::vector<std::string> statements;  // of settlements, in all transactions
};
Shop* shop = nullptr;

class Transaction {
 public:
  void book(int cents) { booked_.push_back(cents); }
  void exec(std::string statement) {
    shop->statements.push_back(statement);
    settlements_.push_back(std::move(statement));
  }
  void commit() {
    for (const std::string& each : settlements_)
      if (!shop->commit(each)) throw std::runtime_error("the transaction was rolled back");
    shop->ledger.insert(shop->ledger.end(), booked_.begin(), booked_.end());
  }

 private:
  std::vector<int> booked_;
  std::vector<std::string> settlements_;
};

enum class Way { commits, forgets, commits_and_throws, commits_late, commits_twice, settles_null };
Way way = Way::commits;

int charge(weir::Context& context, int cents) {
  Transaction transaction;
  transaction.book(cents);
  if (way == Way::commits_late) {
    std::string statement = context.settlement(cents);
    while (!context.cancelled()) std::this_thread::sleep_for(1ms);
    transaction.exec(std::move(statement));
  } else {
    transaction.exec(context.settlement(cents));
  }
  if (way != Way::forgets) transaction.commit();
  if (way == Way::commits_twice) transaction.commit();
  if (way == Way::commits_and_throws) throw std::runtime_error("the line went dead");
  return -1;  // ignored: the settlement's output counts
}
std::vector<int> list(weir::Context& context, int count) {
  Transaction transaction;
  if (way == Way::settles_null)
    transaction.exec(context.settlement(boost::json::value(nullptr)));
  else
    transaction.exec(context.settlement(std::vector<int>(static_cast<std::size_t>(count), 7)));
  transaction.commit();
  return {};
}
int same(weir::Context&, int value) { return value; }

// clang-format off
WEIR_FLOW(charging, "settling.Charging",
          step<charge>("charge").max_attempts(2).timeout(10min))
WEIR_FLOW(listing, "settling.Listing",
          step<list>("list").max_attempts(1),
          map<same>("same").over("list"))
WEIR_FLOW(ordering, "settling.Ordering",
          flow("pay").runs("charging"))
// clang-format on

struct SettlingIdentity {
  static constexpr std::string_view name = "settling";
  static constexpr std::string_view version = "";
};
using SettlingParts =
    weir::sdk::Plugin<SettlingIdentity, weir_flow_charging, weir_flow_listing, weir_flow_ordering>;
constinit const auto settling_note = SettlingParts::note();
constinit const weir_plugin settling_plugin = SettlingParts::symbol(settling_note);

struct Rig {
  explicit Rig(std::string_view flow, Way how = Way::commits) : runner(settling_plugin, flow) {
    way = how;
    shop = &own;
    own.commit = [this](std::string_view statement) { return runner.commit(statement); };
  }
  ~Rig() { shop = nullptr; }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  Shop own;
  FlowRunner runner;
};

std::string outcomes(const FinishedRun& run, std::string_view step) {
  std::string all;
  for (const auto& each : run.attempts(step))
    all += (all.empty() ? "" : ", ") + each.outcome +
           (each.error_code.empty() ? "" : " " + each.error_code);
  return all;
}

}  // namespace

TEST_SUITE("trial: settlements") {
  TEST_CASE("C9: a committed settlement is the step's output and what it returns is ignored") {
    Rig rig("charging");
    const FinishedRun run = rig.runner.run("100");
    CHECK(run.output() == R"({"charge":100})");
    CHECK(outcomes(run, "charge") == "completed");
    CHECK(rig.own.ledger == std::vector<int>{100});
  }

  TEST_CASE("C9: a step that returns without a commit has failed and runs again") {
    Rig rig("charging", Way::forgets);
    const FinishedRun run = rig.runner.run("100");
    CHECK(outcomes(run, "charge") == "failed not_settled, failed not_settled");
    CHECK(run.attempts("charge")[0].error ==
          "the step returned without committing the settlement it requested");
    CHECK(rig.own.ledger.empty());
  }

  TEST_CASE("C9: what is committed counts though the handler throws or is lost afterwards") {
    Rig rig("charging", Way::commits_and_throws);
    CHECK(outcomes(rig.runner.run("100"), "charge") == "completed");
    way = Way::commits;
    rig.runner.lose("charge");
    CHECK(outcomes(rig.runner.run("200"), "charge") == "completed");
    CHECK(rig.own.ledger == std::vector<int>{100, 200});
    way = Way::forgets;
    rig.runner.lose("charge");
    CHECK(outcomes(rig.runner.run("300"), "charge") ==
          "lost lost, failed not_settled, failed not_settled");
  }

  TEST_CASE("C9: a commit after the timeout fails and with it the transaction") {
    Rig rig("charging", Way::commits_late);
    rig.runner.timeout("charge", 20ms);
    rig.runner.max_attempts("charge", 1);
    CHECK(outcomes(rig.runner.run("100"), "charge") == "timed_out timed_out");
    CHECK(rig.own.statements.size() == 1);
    CHECK(rig.own.ledger.empty());
  }

  TEST_CASE("C9: an attempt whose timeout has passed cannot ask for a settlement") {
    Rig rig("charging");
    rig.runner.time_out("charge");
    CHECK(outcomes(rig.runner.run("100"), "charge") == "timed_out timed_out, completed");
    CHECK(rig.own.statements.size() == 1);
    CHECK(rig.own.ledger == std::vector<int>{100});
  }

  TEST_CASE("C9: an attempt is settled once") {
    Rig rig("charging", Way::commits_twice);
    CHECK(outcomes(rig.runner.run("100"), "charge") == "completed");
    CHECK(rig.own.ledger == std::vector<int>{100});
    CHECK_FALSE(rig.runner.commit(rig.own.statements.at(0)));  // it has ended, too
  }

  TEST_CASE("P6: C9: what feeds a map is settled with an array") {
    Rig rig("listing");
    CHECK(rig.runner.run("2").output() == R"({"same":[7,7]})");
    way = Way::settles_null;
    const FinishedRun run = rig.runner.run("2");
    CHECK(outcomes(run, "list") == "failed exception");
    CHECK(run.attempts("list")[0].error == "the transaction was rolled back");
  }

  TEST_CASE("C8: C9: a step of a child run settles with the runner of its parent") {
    Rig rig("ordering");
    CHECK(rig.runner.run("100").output() == R"({"pay":{"charge":100}})");
    CHECK(rig.own.ledger == std::vector<int>{100});
  }

  TEST_CASE("only what is a settlement can be committed") {
    Rig rig("charging");
    CHECK(refusal([&] { rig.runner.commit("insert into ledger values (1)"); }) ==
          "\"insert into ledger values (1)\" is not a statement that Context::settlement gave");
  }
}
