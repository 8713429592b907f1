#pragma once
#include <cstddef>

#include "step/flight_recorder.hpp"

namespace weir {

/// Has this process note its own death in the recorder's page: who crashed, of what, where, with
/// the frames of its stack, or who called exit() inside of a step. Then it dies as it would have;
/// a handler that stood there before, such as a sanitizer's, gets its turn after ours. `notify` is
/// a socket that is told "crashing" as soon as the mark stands, so that somebody may end a process
/// that hangs in its death; -1: nobody. For once in a process; `recorder` must outlive it.
///
/// What a process that was forked from this one does is not noted.
void install_fault_handler(const FlightRecorder& recorder, int notify);

/// A stack of its own for this thread's fault handler, for as long as it lives: else nothing can be
/// noted of a stack that overflows.
class FaultStack {
 public:
  FaultStack() noexcept;
  ~FaultStack();
  FaultStack(const FaultStack&) = delete;
  FaultStack& operator=(const FaultStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace weir
