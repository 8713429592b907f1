/// Threads: one of its own, the only one that waits for children to end; every member from any.
///
/// Invariants: a child given to end() is gone before the destructor returns. Locks: the keeper's
/// before a set's; none is held while a child is waited for.
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

/// Ends isolated children that are not needed any more, and lets them say farewell meanwhile.
class Keeper {
 public:
  explicit Keeper(const IsolatedOptions& options);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper();

  /// Asks the set for idle children from now on, until forget() has returned.
  void watch(ChildSet& set);
  void forget(const ChildSet& set);

  void end(std::vector<std::unique_ptr<IsolatedChild>> children);

 private:
  void keep();

  const std::chrono::milliseconds look_every_, farewell_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<ChildSet*> sets_;
  std::vector<std::unique_ptr<IsolatedChild>> ending_;
  bool closing_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace weir
