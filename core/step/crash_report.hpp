#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/process_handle.hpp"
#include "step/flight_recorder.hpp"

namespace weir {

/// What is known of a process that crashed.
struct CrashReport {
  static constexpr std::size_t frames_max = 16;

  const flight::SeatRecord* seat = nullptr;  ///< the slot whose call it was
  std::string sha256;                        ///< of the plugin to blame; empty: no plugin is known
  bool while_loading = false;                ///< it was being loaded
  std::string text;  ///< one line that says what happened, then one per frame; printable
  /// Without `seat`: the slots that were inside a call, of the plugin to blame if there is one.
  std::vector<const flight::SeatRecord*> suspects;
  std::shared_ptr<const FlightRecorder> record;  ///< keeps the seats, as they were
};

/// Describes how a process ended, from its flight recorder. `stage` is the folder below which the
/// process had its private copies of plugins; they must still be there, because names and symbols
/// are read from them.
///
///     plugin shop 1.4.0 (sha256 9f86d081884c): step shop.charge crashed: SIGSEGV at address 0x10
///     (null pointer) in charge(Card const&)+0x1c
///       shop.so!charge(Card const&)+0x1c
///
/// The plugin to blame is the one whose step the crashed thread was running, or which it was loading or
/// unloading; for any other thread, the one whose code is innermost on its stack. When nothing was
/// recorded, it is the plugin that was loaded or unloaded while no step ran. No plugin is to blame
/// when the process was killed from outside.
///
/// `is_trial`: the process ran suspects only (F10). Then a single suspect is to blame, unless a plugin
/// was loaded or unloaded at the same time.
CrashReport crash_report(const FlightRecorder& recorder, const ProcessEnd& end,
                         const std::filesystem::path& stage, bool is_trial = false);

}  // namespace weir
