#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include <weir/flow.hpp>

#include "ledger.hpp"
#include "money.hpp"

namespace process_order {
namespace {

struct Order {
  std::int64_t order_id;
  double amount;
  std::string ledger;
};
WEIR_JSON(Order, order_id, amount, ledger)

struct Validated {
  Order validate;
};
WEIR_JSON(Validated, validate)

struct Receipt {
  std::int64_t order_id;
  double amount;
  std::string ledger;
  std::string entry;
};
WEIR_JSON(Receipt, order_id, amount, ledger, entry)

struct Charged {
  Receipt charge_payment;
};
WEIR_JSON(Charged, charge_payment)

struct Confirmation {
  std::int64_t order_id;
  std::string confirmation;
};
WEIR_JSON(Confirmation, order_id, confirmation)

/// The value, or the end of the run: no retry fixes what the error says.
template <class T>
T required(std::expected<T, std::string> result, const char* code) {
  if (!result) throw weir::permanent(code, result.error());
  return *std::move(result);
}

Order validate(weir::Context&, Order order) {
  if (order.order_id < 1) {
    throw weir::permanent("invalid_order",
                          "order_id " + std::to_string(order.order_id) + " is not positive");
  }
  const Money amount = required(Money::parse(order.amount), "invalid_order");
  const Ledger ledger = required(Ledger::open(order.ledger), "unusable_ledger");
  return {order.order_id, amount.amount(), ledger.folder().string()};
}

Receipt charge_payment(weir::Context& context, const Validated& input) {
  const Order& order = input.validate;
  const Money amount = required(Money::parse(order.amount), "invalid_order");
  const Ledger ledger = Ledger::at(order.ledger);
  const Charge charge = required(ledger.charge({order.order_id, amount}), "charge_refused");
  context.info("order " + std::to_string(charge.order_id) + ": charged " + charge.amount.text());
  return {charge.order_id, charge.amount.amount(), order.ledger,
          ledger.entry(charge.order_id).string()};
}

Confirmation send_confirmation(weir::Context&, const Charged& input) {
  const Receipt& receipt = input.charge_payment;
  const Money amount = required(Money::parse(receipt.amount), "invalid_order");
  return {receipt.order_id,
          Ledger::at(receipt.ledger).confirm({receipt.order_id, amount}).string()};
}

}  // namespace

WEIR_FLOW(process_order, "examples.ProcessOrder", step<validate>("validate"),
          step<charge_payment>("charge_payment").after("validate").max_attempts(5),
          step<send_confirmation>("send_confirmation").after("charge_payment").max_attempts(5))
WEIR_PLUGIN(process_order)

}  // namespace process_order
