#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "step/attempt.hpp"
#include "step/step_call.hpp"

namespace weir {

/// The deferred calls of this process that were completed last: a plugin that uses one again is told
/// so by what the function returns, and whoever runs it by a warning in the log (A3).
///
/// Threads: every member may be called from any thread; each place has a lock of its own.
///
/// Invariants:
/// - A call is warned of once, however often it is used again.
/// - It holds neither the attempt nor its plugin nor the log, and its size is fixed.
class EndedCalls {
 public:
  /// The call with that number is completed. It takes the place of one whose number is a multiple of
  /// this less.
  static constexpr std::size_t remembered = 1'024;
  void add(std::uint64_t number, const Attempt& attempt, const std::shared_ptr<StepLines>& lines);

  /// The plugin does that with a call that is completed: "completes". Nothing is said of one that is
  /// forgotten, or that was never given out.
  void used(std::uint64_t number, std::string_view does);

  /// Never destroyed, as threads of plugins may still use calls when the process exits.
  static EndedCalls& of_process();

 private:
  struct Place {
    std::mutex mutex;
    std::uint64_t number = 0;  // 0: none
    std::string run_id, flow, step;
    int attempt = 0;
    std::weak_ptr<StepLines> lines;
  };
  std::array<Place, remembered> places_;
};

}  // namespace weir
