#pragma once
#include <memory>
#include <utility>

#include "registry/flow_module.hpp"
#include "registry/pins.hpp"
#include "registry/unload_ticket.hpp"

namespace weir {

/// One registration: a module and the counts of its holders. Created by a transaction or by a
/// handle without a registry; destroyed by the thread that learns from `pins` that no other holds
/// it. [any thread, as Pins]
template <class Sync = StdSync>
struct FlowEntry {
  explicit FlowEntry(FlowModule of) : module(std::move(of)) {}

  /// Call it when no index leads to the entry and no reader can still find it: from then on only
  /// handles hold it.
  static void retire(FlowEntry* entry) noexcept {
    const std::shared_ptr<Unload<Sync>> unload = entry->unload;
    if (unload) unload->no_reader_left();
    if (entry->pins.retire()) destroy(entry);
  }

  /// Releases a hold that was taken on `count`.
  static void drop(FlowEntry* entry, typename Pins<Sync>::Count& count) noexcept {
    if (Pins<Sync>::drop(count) && entry->pins.ended()) destroy(entry);
  }

  static void destroy(FlowEntry* entry) noexcept {
    const std::shared_ptr<Unload<Sync>> unload = std::move(entry->unload);
    delete entry;
    if (unload) unload->destroyed();
  }

  Pins<Sync> pins;  // first: a handle reaches the module through them
  const FlowModule module;
  /// Written before retire() by the commit that removes the entry; null until then.
  std::shared_ptr<Unload<Sync>> unload;
};

}  // namespace weir
