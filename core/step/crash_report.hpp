#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "base/process_handle.hpp"
#include "step/flight_recorder.hpp"

namespace weir {

/// What came of looking at a process that crashed.
struct CrashReport {
  static constexpr std::size_t frames_max = 16;

  flight::SeatRecord* seat = nullptr;  ///< the slot whose call it was
  std::string sha256;                  ///< of the plugin to blame; empty: nobody is known
  std::string text;                    ///< one line of what happened, then a frame a line
};

/// What the flight recorder of a process that ended tells, in words. `stage` is the folder below
/// which the process had its private copies of plugins, still there: names and symbols are read
/// from them.
///
///     plugin shop 1.4.0 (sha256 9f86d081884c): step shop.charge crashed: SIGSEGV at address 0x10
///     (null pointer) in charge(Card const&)+0x1c
///       shop.so!charge(Card const&)+0x1c
///
/// To blame is the plugin whose step the crashed thread was in; of another thread, the plugin whose
/// code is the innermost on its stack. Nobody is when the process was killed from outside.
CrashReport crash_report(FlightRecorder& recorder, const ProcessEnd& end,
                         const std::filesystem::path& stage);

}  // namespace weir
