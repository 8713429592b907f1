/// Threads: one of its own, the only one that waits for children to end; every member may be called
/// from any thread.
///
/// Invariants: a child given to end() has ended before the destructor returns. Lock order: the
/// reaper's mutex before a set's; neither is held during a wait for a child.
#pragma once
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "isolated/isolated_child.hpp"

namespace weir {

class ChildSet;

/// Ends isolated children that are no longer needed, and gives them time to end their resources.
class ChildReaper {
 public:
  explicit ChildReaper(const IsolatedOptions& options);
  ChildReaper(const ChildReaper&) = delete;
  ChildReaper& operator=(const ChildReaper&) = delete;
  ~ChildReaper();

  /// Checks the set for idle children from now on, until unwatch() has returned.
  void watch(ChildSet& set);
  void unwatch(const ChildSet& set);

  void end(std::vector<std::unique_ptr<IsolatedChild>> children);

 private:
  void run();

  const std::chrono::milliseconds idle_check_interval_, end_patience_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<ChildSet*> sets_;
  std::vector<std::unique_ptr<IsolatedChild>> ending_;
  bool closing_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace weir
