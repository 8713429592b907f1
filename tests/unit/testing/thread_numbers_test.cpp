#include <algorithm>
#include <array>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/sync.hpp>

namespace weir {
namespace {

// Asks for its thread's number when the thread ends, as what a library keeps for a thread may.
struct AsksAtTheEnd {
  std::size_t* number = nullptr;
  ~AsksAtTheEnd() {
    if (number != nullptr) *number = StdSync::thread_index();
  }
};

}  // namespace

TEST_SUITE("sync: thread numbers") {
  TEST_CASE("a thousand threads one after the other use one number though they ask as they end") {
    const std::size_t own = StdSync::thread_index();
    for (int i = 0; i < 1'000; ++i) {
      std::array<std::size_t, 3> numbers{};
      std::thread([&] {
        static thread_local std::array<AsksAtTheEnd, 2> late;
        late[0].number = &numbers[0];
        late[1].number = &numbers[1];
        numbers[2] = StdSync::thread_index();
      }).join();
      for (const std::size_t number : numbers) {
        REQUIRE(number != own);
        REQUIRE(number <= 2);
      }
    }
  }

  TEST_CASE("threads that live at once have different numbers also while they end") {
    constexpr std::size_t count = 8;
    std::array<std::size_t, count> numbers{};
    std::latch all(count);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < count; ++i)
      threads.emplace_back([&, i] {
        static thread_local AsksAtTheEnd late;
        late.number = nullptr;
        numbers[i] = StdSync::thread_index();
        all.arrive_and_wait();
      });
    threads.clear();
    CHECK(std::set<std::size_t>(numbers.begin(), numbers.end()).size() == count);
  }
}

}  // namespace weir
