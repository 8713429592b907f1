#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/postgres/doorbell.hpp"

namespace weir::postgres {

/// A session that hears what happens to runs (channel weir_events), and by which workers know that
/// somebody does. After an error it is of no use any more.  [one thread at a time]
class EventFeed {
 public:
  /// How long workers go on sending after a listener was cut off.
  static constexpr std::chrono::milliseconds said_for{30'000};

  /// Listens from here on. Errors: unavailable.
  static Result<std::unique_ptr<EventFeed>> open(const std::string& url);

  virtual ~EventFeed() = default;

  /// What came, as it was sent: JSON. Returns when there is something, when `bell` rings, and at
  /// the latest after `patience`. Called at least every few seconds, for it also keeps workers
  /// sending. Errors: unavailable, when the connection broke.
  virtual Result<std::vector<std::string>> next(std::chrono::milliseconds patience,
                                                Doorbell& bell) = 0;
};

}  // namespace weir::postgres
