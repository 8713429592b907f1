#include <cstdint>
#include <optional>
#include <string>

#include <weir/flow.hpp>

namespace expense_approval {
namespace {

struct Expense {
  std::string employee;
  double amount;
  std::string purpose;
};
WEIR_JSON(Expense, employee, amount, purpose)

struct Checked {
  Expense expense;
  bool needs_approval;
};
WEIR_JSON(Checked, expense, needs_approval)

struct Verdict {
  std::string by;
  bool granted;
};
WEIR_JSON(Verdict, by, granted)

struct Letter {
  std::string to, text;
};
WEIR_JSON(Letter, to, text)

struct Unheard {
  Checked check;
  std::optional<weir::Waited<Verdict>> manager;
};
WEIR_JSON(Unheard, check, manager)

struct Answers {
  Checked check;
  std::optional<weir::Waited<Verdict>> manager, director;
};
WEIR_JSON(Answers, check, manager, director)

struct Decision {
  bool granted;
  std::string by;
};
WEIR_JSON(Decision, granted, by)

constexpr double petty_cash = 50;

Checked check(weir::Context&, const Expense& expense) {
  if (!(expense.amount > 0)) throw weir::permanent("bad_amount", "an expense is above zero");
  return {expense, expense.amount > petty_cash};
}

Letter escalate(weir::Context& context, const Unheard& input) {
  const Expense& expense = input.check.expense;
  context.info("nobody answered " + expense.employee);
  return {"director", expense.employee + " asks for the " + expense.purpose +
                          "; their manager has not answered. Run " + std::string(context.run_id()) +
                          "."};
}

Decision decide(weir::Context&, const Answers& answers) {
  if (!answers.check.needs_approval) return {true, "petty cash"};
  for (const auto& answer : {answers.manager, answers.director})
    if (answer && answer->signalled && answer->payload)
      return {answer->payload->granted, answer->payload->by};
  return {false, "nobody: no answer in time"};
}

}  // namespace

WEIR_FLOW(expense_approval, "examples.ExpenseApproval", step<check>("check"),
          wait("manager", 48h).after("check").only_if(R"({"check": {"needs_approval": true}})"),
          step<escalate>("escalate")
              .after("check", "manager")
              .only_if(R"({"manager": {"signalled": false}})"),
          wait("director", 48h).after("escalate").only_if(R"({"escalate": {}})"),
          step<decide>("decide").after("check", "manager", "director"))
WEIR_PLUGIN(expense_approval)

}  // namespace expense_approval
