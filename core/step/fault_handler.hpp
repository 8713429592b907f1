#pragma once
#include <cstddef>

#include "step/flight_recorder.hpp"

namespace weir {

/// Makes this process record its own crash in the recorder's page: the thread, the signal, the
/// address and the frames of the stack; or, of a call of exit() by a plugin's code, status and frames.
/// The process then dies as it would have without this; a handler that was installed before, such
/// as a sanitizer's, runs after ours. "crashing" is sent to the socket `notify` as soon as the
/// crash is marked, so that the reader can kill a process that hangs while it dies; -1: nothing is
/// sent. To be called once in a process; `recorder` must live until the process ends.
///
/// Nothing is recorded of a process that was forked from this one.
void install_fault_handler(const FlightRecorder& recorder, int notify);

/// Gives this thread's fault handler a stack of its own, while the object lives: without one, a
/// stack overflow cannot be recorded.
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
