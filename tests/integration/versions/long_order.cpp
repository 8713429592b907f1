// A flow whose runs last until a file appears: VERSION tells its two builds apart.
#include <chrono>
#include <filesystem>
#include <string>

#include <weir/flow.hpp>

namespace {

struct Order {
  std::string until;  // a path; "" ends at once
};
WEIR_JSON(Order, until)

int deliver(weir::Context&, const Order& order) {
  if (!order.until.empty() && !std::filesystem::exists(order.until))
    throw weir::retry_after(std::chrono::milliseconds(300), "not yet");
  return VERSION;
}

WEIR_FLOW(long_order, "test.LongOrder", step<deliver>("deliver").max_attempts(1000 - VERSION));

}  // namespace

WEIR_PLUGIN(long_order)
