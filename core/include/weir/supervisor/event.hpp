#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <weir/result.hpp>

namespace weir {

/// Something that a supervisor did or observed.
struct SupervisorEvent {
  enum class What {
    started,       ///< the child runs, for the first time or because a caller asked for it
    start_failed,  ///< it did not start; with the error
    died,          ///< it ended by itself: with an error, or without one
    restarted,     ///< it runs again after it, or one of its group, died
    stopped,       ///< it was asked to stop and ended; with its error, if it had one
    over_time,     ///< it was asked to stop, did not within its time, and was abandoned
    gave_up,       ///< restarts were too many: the supervisor stops; with the error it ends with
    ignored,       ///< its start found nothing to run
    shut_down,     ///< it was significant and ended: the supervisor stops
  };
  What what = What::started;
  std::string supervisor{};
  std::string child{};  ///< its id; may be empty in a DynamicSupervisor
  std::optional<Error> error{};
  /// Of died, and of start_failed in a restart: how many restarts count now, with the coming one;
  /// 0: the child is not restarted.
  std::size_t restarts = 0;
  std::chrono::milliseconds delay{};  ///< until that restart
};

/// A line for a log: "serve: worker-1 ended: no such table; restart 1 in 100 ms".
inline std::string to_string(const SupervisorEvent& event) {
  using What = SupervisorEvent::What;
  const std::string error = event.error ? ": " + to_string(*event.error) : "";
  const std::string next = event.restarts == 0
                               ? ""
                               : "; restart " + std::to_string(event.restarts) + " in " +
                                     std::to_string(event.delay.count()) + " ms";
  const auto text = [&] {
    switch (event.what) {
      case What::started:
        return " started";
      case What::start_failed:
        return " did not start";
      case What::died:
        return " ended";
      case What::restarted:
        return " started again";
      case What::stopped:
        return " stopped";
      case What::over_time:
        return " did not stop in time and is left behind";
      case What::gave_up:
        return " is given up";
      case What::ignored:
        return " has nothing to run";
      case What::shut_down:
        return " is significant, and its end ends the supervisor";
    }
    return "";
  }();
  return event.supervisor + ": " + (event.child.empty() ? "a child" : event.child) + text + error +
         next;
}

}  // namespace weir
