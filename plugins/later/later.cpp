// A step that answers later: each number of milliseconds after that many milliseconds. However many
// calls wait, they hold no thread.
#include <chrono>
#include <cstdint>

#include <weir/async.hpp>
#include <weir/flow.hpp>

using namespace std::chrono_literals;

namespace {

// 250 → 250, a quarter of a second later
weir::Async<std::uint32_t> later(weir::Context& context, std::uint32_t milliseconds) {
  co_await context.sleep(std::chrono::milliseconds(milliseconds));
  co_return milliseconds;
}

}  // namespace

WEIR_FLOW(later, "examples.Later", map<later>("later").timeout(2h))
WEIR_PLUGIN(later)
