#include "chaos/load.hpp"

#include <cstdlib>

#include "store/postgres/postgres_run_store.hpp"
#include "support/test_database.hpp"

namespace weir::testing {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

Load::Load(std::string flow, Json input, std::chrono::milliseconds pause)
    : thread_([this, flow = std::move(flow), input = std::move(input), pause] {
        const auto store = postgres::open_run_store(database());
        if (!store) return;
        auto next = std::chrono::steady_clock::now();
        while (!stopping_.load(std::memory_order_relaxed)) {
          if ((*store)->start(flow, {input}, {})) started_.fetch_add(1, std::memory_order_relaxed);
          std::this_thread::sleep_until(next += pause);
        }
      }) {}

std::uint64_t Load::stop() {
  stopping_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
  return started_.load(std::memory_order_relaxed);
}

}  // namespace weir::testing
