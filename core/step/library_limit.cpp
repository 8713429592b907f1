#include "step/library_limit.hpp"

#include <csignal>

#include "step/flight_recorder.hpp"

namespace weir {

void LibraryLimit::begin() noexcept {
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGABRT;
  event._sigev_un._tid = FlightRecorder::this_thread();  // older libcs have no name for it
  is_set_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;  // else there is no limit
  const itimerspec once{.it_interval = {}, .it_value = {.tv_sec = patience.count(), .tv_nsec = 0}};
  if (is_set_) ::timer_settime(timer_, 0, &once, nullptr);
}

void LibraryLimit::end() noexcept {
  if (is_set_) ::timer_delete(timer_);
}

}  // namespace weir
