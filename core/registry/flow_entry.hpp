#pragma once
#include <memory>
#include <utility>

#include "registry/flow_module.hpp"
#include "registry/pins.hpp"
#include "registry/unload_ticket.hpp"

namespace weir {

/// One registration: a module, and who holds it. Made by a transaction or by a handle without
/// registry; ended by whoever learns from `pins` that it is theirs alone.  [any thread, as Pins]
template <class Sync = StdSync>
struct FlowEntry {
  explicit FlowEntry(FlowModule of) : module(std::move(of)) {}

  /// No index leads here and no reader can come from one: from now on handles alone keep it.
  static void retire(FlowEntry* entry) noexcept {
    const std::shared_ptr<Unload<Sync>> told = entry->unload;
    if (told) told->no_reader_left();
    if (entry->pins.retire()) end(entry);
  }

  /// Lets go of a hold that `count` stands for.
  static void drop(FlowEntry* entry, typename Pins<Sync>::Count& count) noexcept {
    if (Pins<Sync>::drop(count) && entry->pins.ended()) end(entry);
  }

  static void end(FlowEntry* entry) noexcept {
    const std::shared_ptr<Unload<Sync>> told = std::move(entry->unload);
    delete entry;
    if (told) told->destroyed();
  }

  Pins<Sync> pins;  // first: a handle's way leads over them to the module
  const FlowModule module;
  std::shared_ptr<Unload<Sync>>
      unload;  // written by the commit that takes it out, before retire(); else null
};

}  // namespace weir
