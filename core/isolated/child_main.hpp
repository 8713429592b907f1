#pragma once

namespace weir {

/// The descriptors under which an isolated child finds what its parent gave it.
struct IsolatedDescriptors {
  static constexpr int channel = 3;   ///< frames (isolated/wire.hpp)
  static constexpr int control = 4;   ///< numbers of calls that are cancelled
  static constexpr int recorder = 5;  ///< a flight recorder with one seat
};

/// The whole life of an isolated child: is told which plugin it is for, gives up what it does not
/// need (isolated/restrictions.hpp), loads the plugin, then runs one call after the other until its
/// parent closes the channel; then it ends what steps shared, and itself. It ends at once when its
/// parent dies, whatever a step is doing.
[[noreturn]] void run_isolated_child();

}  // namespace weir
