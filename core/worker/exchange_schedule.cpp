#include "worker/exchange_schedule.hpp"

#include <algorithm>

namespace weir {

Steady ExchangeSchedule::due_at(std::size_t room, std::optional<Steady> wake_at) const {
  if (room == 0) return renew_at_;
  return std::min({renew_at_, poll_at_, wake_at.value_or(Steady::max())});
}

void ExchangeSchedule::answered(const ExchangeReply& reply, std::size_t asked, Steady now) {
  renew_at_ = now + lease_ / 3;
  next_wake_at_ = reply.next_wake_at;
  may_have_runs_ = asked == 0 || reply.claimed.size() == asked || reply.contended > 0;
  // A run that was started before the database knew that this worker waits notified no worker. So
  // after the first fruitless scan the next one follows soon.
  const bool is_idle = !may_have_runs_;
  poll_at_ = now + (is_idle && !idle_stated_ ? rescan_delay : poll_interval);
  idle_stated_ = is_idle;
}

}  // namespace weir
