// The twin of plugins/later on Boost.Asio: each number of milliseconds after that many milliseconds.
#include <chrono>
#include <cstdint>

#include <boost/asio/awaitable.hpp>

#include <weir/asio.hpp>
#include <weir/flow.hpp>

using namespace std::chrono_literals;

namespace {

// 250 → 250, a quarter of a second later
boost::asio::awaitable<std::uint32_t> later(weir::Context& context, std::uint32_t milliseconds) {
  co_await weir::asio_sleep(context, std::chrono::milliseconds(milliseconds));
  co_return milliseconds;
}

}  // namespace

WEIR_FLOW(later_asio, "examples.LaterAsio", map<later>("later").timeout(2h))
WEIR_PLUGIN(later_asio)
