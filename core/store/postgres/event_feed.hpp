#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "store/postgres/wakeup_event.hpp"

namespace weir::postgres {

/// A session that receives the events of runs (channel weir_events), and registers as a listener,
/// so that workers send them. After an error it cannot be used any more.  [one thread at a time]
class EventFeed {
 public:
  /// How long a registration as a listener lasts: workers continue to send for this long after the
  /// listener was disconnected.
  static constexpr std::chrono::milliseconds registration_lifetime{30'000};

  /// Starts to listen. Errors: unavailable.
  static Result<std::unique_ptr<EventFeed>> open(const std::string& url);

  virtual ~EventFeed() = default;

  /// The events that arrived, as they were sent: JSON. Returns when there is one, when
  /// `wakeup` is woken, and at the latest after `patience`. To be called at least every few
  /// seconds, because it also renews the registration as a listener. Errors: unavailable, when the
  /// connection broke.
  virtual Result<std::vector<std::string>> next(std::chrono::milliseconds patience,
                                                WakeupEvent& wakeup) = 0;
};

}  // namespace weir::postgres
