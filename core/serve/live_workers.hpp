#pragma once
#include <cstddef>
#include <mutex>
#include <vector>

#include "worker/wish.hpp"
#include "worker/worker.hpp"

namespace weir {

/// The workers of this process that run, to tell all of them at once what is wished.
///
/// Threads: every member may be called from any thread.
/// Invariants: a worker that is added learns of the wish as it stands; one that was taken out is
/// not touched any more. The wish only ever goes down the list (Wish).
class LiveWorkers {
 public:
  /// A worker is among them while this lives, which must be while the worker runs.
  class Place {
   public:
    Place(LiveWorkers& among, Worker& worker);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    LiveWorkers& among_;
    Worker& worker_;
  };

  void drain();
  void stop_now();

  void count_handlers_left(std::size_t count);

  /// Handlers that ignored their stop token when their worker ended; their threads may still run.
  std::size_t handlers_left() const;

 private:
  mutable std::mutex mutex_;  // guards all that follows
  std::vector<Worker*> workers_;
  Wish wish_ = Wish::serve;
  std::size_t handlers_left_ = 0;
};

}  // namespace weir
