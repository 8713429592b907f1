#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weir/testing/lockstep/schedule.hpp>

namespace weir::lockstep {

/// What a task does at a point.
enum class Operation : std::uint8_t {
  load,
  old_value,
  store,
  exchange,
  compare_exchange,
  fetch_add,
  fetch_sub,
  fetch_and,
  fetch_or,
  fetch_xor,
  lock,
  try_lock,
  unlock,
  lock_shared,
  try_lock_shared,
  unlock_shared,
  wait_for_mutex,
  acquire,
  try_acquire,
  release,
  wait_for_semaphore,
  wait,
  wake,
  notify_one,
  notify_all,
  join,
  sleep,
  yield,
  yield_in_vain,
  fence,
  heavy_fence,
  spurious_failure,
  tick,
  point,
  end,
};

inline std::string_view name(Operation operation) noexcept {
  constexpr std::array<std::string_view, 35> names = {"load",
                                                      "an old value of",
                                                      "store",
                                                      "exchange",
                                                      "compare_exchange",
                                                      "fetch_add",
                                                      "fetch_sub",
                                                      "fetch_and",
                                                      "fetch_or",
                                                      "fetch_xor",
                                                      "lock",
                                                      "try_lock",
                                                      "unlock",
                                                      "lock_shared",
                                                      "try_lock_shared",
                                                      "unlock_shared",
                                                      "waits for",
                                                      "acquire",
                                                      "try_acquire",
                                                      "release",
                                                      "waits for",
                                                      "waits on",
                                                      "wakes without a notification of",
                                                      "notify_one",
                                                      "notify_all",
                                                      "joins",
                                                      "sleeps",
                                                      "yield",
                                                      "yield that returns at once",
                                                      "fence",
                                                      "heavy_fence",
                                                      "fails without a reason",
                                                      "time passes",
                                                      "point",
                                                      "ends"};
  return names[static_cast<std::size_t>(operation)];
}

/// One line of an interleaving.
struct Event {
  TaskNumber task = 0;
  Operation operation = Operation::load;
  std::uint32_t object = 0;  ///< numbered as they were made; 0 for one made outside a schedule
  std::int64_t time = 0;     ///< virtual, in ns
};
using Trace = std::vector<Event>;

/// "lock mutex #3".
inline std::string described(const Event& event) {
  const std::string object = " #" + std::to_string(event.object);
  std::string text(name(event.operation));
  switch (event.operation) {
    case Operation::lock:
    case Operation::try_lock:
    case Operation::unlock:
    case Operation::lock_shared:
    case Operation::try_lock_shared:
    case Operation::unlock_shared:
    case Operation::wait_for_mutex:
      return text + " mutex" + object;
    case Operation::acquire:
    case Operation::try_acquire:
    case Operation::release:
    case Operation::wait_for_semaphore:
      return text + " semaphore" + object;
    case Operation::wait:
    case Operation::wake:
    case Operation::notify_one:
    case Operation::notify_all:
      return text + " condition" + object;
    case Operation::join:
      return text + " task " + std::to_string(event.object);
    case Operation::tick:
      return text + ": " + std::to_string(event.time) + " ns";
    case Operation::sleep:
    case Operation::yield:
    case Operation::yield_in_vain:
    case Operation::fence:
    case Operation::heavy_fence:
    case Operation::spurious_failure:
    case Operation::end:
      return text;
    default:
      return text + object;
  }
}

/// A line for each event, the tasks side by side in columns when they are few.
inline std::string to_string(const Trace& trace) {
  std::string text;
  std::size_t number = 0;
  for (const Event& event : trace) {
    const std::string place = std::to_string(number++);
    text += std::string(place.size() < 5 ? 5 - place.size() : 0, ' ') + place + "  task " +
            std::to_string(event.task) +
            std::string(event.task < 6 ? 2 + 2 * std::size_t{event.task} : 2, ' ') +
            described(event) + '\n';
  }
  return text;
}

}  // namespace weir::lockstep
