#pragma once

namespace weir {

/// The descriptors that an isolated child inherits from its parent.
struct IsolatedDescriptors {
  static constexpr int channel = 3;   ///< frames (isolated/wire.hpp)
  static constexpr int control = 4;   ///< numbers of calls that are to stop
  static constexpr int recorder = 5;  ///< a flight recorder; its first seat is the main thread's
};

/// The main function of an isolated child. It receives which plugin it is for, drops rights that it
/// does not need (isolated/restrictions.hpp), loads the plugin, then runs one call after the other
/// until its parent closes the channel; then it ends the resources that steps shared, and exits. It
/// exits immediately when its parent dies, whatever a step is doing.
[[noreturn]] void run_isolated_child();

}  // namespace weir
