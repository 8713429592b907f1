#pragma once
#include <chrono>
#include <string>

#include "base/error.hpp"

namespace weir::postgres {

/// How long a connection may go without a sign of life from the other end.
struct NetworkLimits {
  std::chrono::seconds connect{10};  ///< for each host of the URL
  /// A call whose packets are not acknowledged for so long ends: the host, or the way to it, is
  /// gone. A server that is slow, or waits for a lock, acknowledges all the same.
  std::chrono::milliseconds silence{10'000};

  /// Of a worker, which has time to renew its lease elsewhere after a connection broke.
  static NetworkLimits of_lease(std::chrono::milliseconds lease);
};

/// The URL, or keywords and values, with `limits` as libpq's connect_timeout, tcp_user_timeout and
/// keepalives, as far as neither the URL, the environment nor a service they name sets them. Errors:
/// unavailable: it is none.
Result<std::string> with_limits(const std::string& url, NetworkLimits limits);

}  // namespace weir::postgres
