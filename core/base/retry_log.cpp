#include "base/retry_log.hpp"

#include <utility>

namespace weir {

void RetryLog::failed(const Error& error, Steady now) {
  if (since_ && kind_ == error.kind) return;
  since_ = since_.value_or(now);
  kind_ = error.kind;
  log_.warn("{}, retrying: {}", fails_, to_string(error));
}

void RetryLog::succeeded(Steady now) {
  const auto since = std::exchange(since_, std::nullopt);
  if (since)
    log_.info("{} after {:.1f} s", succeeds_, std::chrono::duration<double>(now - *since).count());
}

}  // namespace weir
