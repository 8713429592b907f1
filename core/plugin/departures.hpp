/// Threads: every member from any thread.
#pragma once
#include <iterator>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "registry/flow_module.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// Plugin files whose flows left the registry, until nobody holds one of them any more: no run, no
/// call, no reader. Whoever takes flows out adds them; the version keeper sees what is to follow.
class Departures {
 public:
  /// `unload`: of the commit that took flows of this file out.
  void add(PluginFile file, FlowRegistry::UnloadTicket unload) {
    const std::scoped_lock lock(mutex_);
    leaving_.emplace_back(std::move(file), std::move(unload));
  }

  /// Takes those out of which nothing is held now. Flows, and with them perhaps libraries, end on
  /// this thread.
  std::vector<PluginFile> take_gone() {
    std::vector<Leaving> looked_at;
    {
      const std::scoped_lock lock(mutex_);
      looked_at.swap(leaving_);
    }
    std::vector<PluginFile> gone;
    std::erase_if(looked_at, [&](Leaving& each) {
      if (!each.second.ready()) return false;
      gone.push_back(std::move(each.first));
      return true;
    });
    const std::scoped_lock lock(mutex_);
    leaving_.insert(leaving_.end(), std::make_move_iterator(looked_at.begin()),
                    std::make_move_iterator(looked_at.end()));
    return gone;
  }

 private:
  using Leaving = std::pair<PluginFile, FlowRegistry::UnloadTicket>;

  std::mutex mutex_;
  std::vector<Leaving> leaving_;  // guarded by mutex_
};

}  // namespace weir
