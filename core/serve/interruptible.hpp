#pragma once
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "serve/stop_signals.hpp"

namespace weir {

/// What `call` returns; or nullopt when a signal requested a stop and `grace` has passed since: then
/// a thread is left behind in it, and it must use nothing that ends before the process. For calls to
/// the database, which may never return.
template <class T>
std::optional<T> unless_stopped(StopSignals& signals, std::chrono::milliseconds grace,
                                std::function<T()> call) {
  constexpr std::chrono::milliseconds poll{50};
  const auto answer = std::make_shared<std::promise<T>>();
  std::future<T> answered = answer->get_future();
  std::thread([answer, call = std::move(call)] { answer->set_value(call()); }).detach();
  std::optional<std::chrono::steady_clock::time_point> until;
  while (answered.wait_for(poll) != std::future_status::ready) {
    if (signals.count() == 0) continue;
    const auto now = std::chrono::steady_clock::now();
    if (!until) until = now + grace;
    if (now >= *until) return std::nullopt;
  }
  return answered.get();
}

}  // namespace weir
