/// Threads: every member from any thread.
///
/// Invariant: the revision grows with every put() and every remove() that removes something, and
/// with nothing else.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "plugin/plugin_error.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// The state of a plugin file in a running host.
enum class PluginState {
  live,         ///< its flows can be run, as the newest of their slugs
  former,       ///< replaced or removed; its code stays for the runs that began with it
  refused,      ///< `error` says why
  quarantined,  ///< it crashed too often, or while it was loaded: its runs wait until `until`
  pinned,       ///< unload_pinned: released, but its code is still mapped
};

/// "live", "former", "refused", "quarantined", "unload_pinned"
std::string_view name(PluginState state) noexcept;

struct PluginStatus {
  PluginFile file;                   ///< sha256 is empty when it was refused before it was hashed
  std::string name = {};             ///< from the manifest; empty when that was not read
  std::string version = {};          ///< from the manifest; empty when that was not read
  std::vector<std::string> flows{};  ///< slugs, in the manifest's order
  PluginState state = PluginState::live;
  bool isolated = false;
  std::optional<PluginError> error = {};  ///< refused, quarantined, pinned: why
  std::optional<Time> until = {};         ///< quarantined: when that ends
};

/// The plugin files that a process knows at present; `weir plugins list` shows them, by way of the
/// database.
class PluginBoard {
 public:
  /// Adds the status, replacing that of the same path and sha256.
  void put(PluginStatus status);

  /// Removes the status of that file; does nothing when there is none.
  void remove(const PluginFile& file);

  /// All statuses, by path, then sha256.
  std::vector<PluginStatus> list() const;

  std::uint64_t revision() const;

 private:
  using Key = std::pair<std::string, std::string>;  // path, sha256

  mutable std::mutex mutex_;  // guards all that follows
  std::map<Key, PluginStatus> statuses_;
  std::uint64_t revision_ = 0;
};

}  // namespace weir
