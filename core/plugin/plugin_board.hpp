/// Threads: every member from any thread.
///
/// Invariant: `revision` grows with every change that can be seen, and with nothing else.
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

/// What a plugin file is to a running host.
enum class PluginState {
  live,         ///< its flows can be run, the newest of their slugs
  former,       ///< replaced or removed; its code stays for the runs that began with it
  refused,      ///< `error` says why
  quarantined,  ///< it crashed too often: its runs wait until `until`
  pinned,       ///< unload_pinned: let go of, but its code is still mapped
};

/// "live", "former", "refused", "quarantined", "unload_pinned"
std::string_view name(PluginState state) noexcept;

struct PluginStatus {
  PluginFile file;                   ///< sha256 is empty when it never came that far
  std::string name = {};             ///< from the manifest; empty when it never came that far
  std::string version = {};          ///< likewise
  std::vector<std::string> flows{};  ///< slugs, in the manifest's order
  PluginState state = PluginState::live;
  bool isolated = false;
  std::optional<PluginError> error = {};  ///< refused, quarantined, pinned: why
  std::optional<Time> until = {};         ///< quarantined
};

/// The plugin files a process knows just now: what `weir plugins list` shows, by way of the
/// database.
class PluginBoard {
 public:
  /// Puts it in the place of what stands under the same path and sha256.
  void put(PluginStatus status);

  /// Forgets it; nothing when there is none.
  void remove(const PluginFile& file);

  /// By path, then sha256.
  std::vector<PluginStatus> list() const;

  std::uint64_t revision() const;

 private:
  using Key = std::pair<std::string, std::string>;  // path, sha256

  mutable std::mutex mutex_;  // guards all that follows
  std::map<Key, PluginStatus> statuses_;
  std::uint64_t revision_ = 0;
};

}  // namespace weir
