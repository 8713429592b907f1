#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace weir {

/// Whether unless_over() has left a thread behind: then the process must end by std::_Exit, because that
/// thread may use what exit() destroys.  [any thread]
inline std::atomic<bool> has_left_thread_behind = false;

/// What `call` returns or throws; or nullopt once `is_over`, which is asked on this thread several times a
/// second, returns true: then a thread is left behind in the call, which must use nothing that ends
/// before the process. For calls to the database, which may never return. Where no thread can be
/// started, it waits for the call, whatever `is_over` would say.
template <class T>
std::optional<T> unless_over(const std::function<bool()>& is_over, std::function<T()> call) {
  constexpr std::chrono::milliseconds poll{50};
  const auto task = std::make_shared<std::packaged_task<T()>>(std::move(call));
  std::future<T> answered = task->get_future();
  std::thread thread;
  try {
    thread = std::thread([task] { (*task)(); });
  } catch (const std::system_error&) {
    (*task)();
  }
  while (answered.wait_for(poll) != std::future_status::ready) {
    if (!is_over()) continue;
    thread.detach();
    has_left_thread_behind = true;
    return std::nullopt;
  }
  // It must not end beside exit(): its thread-local objects are those of libraries.
  if (thread.joinable()) thread.join();
  return answered.get();
}

}  // namespace weir
