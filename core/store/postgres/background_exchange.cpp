#include "store/postgres/background_exchange.hpp"

#include <system_error>
#include <utility>

#include "base/assert.hpp"

namespace weir::postgres {

void BackgroundExchange::send(const ExchangeRequest& request) {
  WEIR_ASSERT(!under_way_);
  under_way_ = true;
  if (!thread_.joinable()) {
    try {
      thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    } catch (const std::system_error&) {
      reply_ = exchange_(request);
      notify_();
      return;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    request_ = &request;
  }
  changed_.notify_one();
}

std::optional<Result<ExchangeReply>> BackgroundExchange::take() {
  const std::lock_guard lock(mutex_);
  auto reply = std::exchange(reply_, std::nullopt);
  if (reply) under_way_ = false;
  return reply;
}

void BackgroundExchange::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return request_ != nullptr; })) {
    const ExchangeRequest& request = *std::exchange(request_, nullptr);
    lock.unlock();
    auto reply = exchange_(request);
    lock.lock();
    reply_ = std::move(reply);
    notify_();
  }
}

}  // namespace weir::postgres
