#pragma once
#include <cstddef>
#include <mutex>
#include <vector>

#include "worker/stop_request.hpp"
#include "worker/worker.hpp"

namespace weir {

/// The running workers of this process, to drain or stop all of them together.
///
/// Threads: every member may be called from any thread.
///
/// Invariants: a worker that is added gets the present request; one that was removed is not used
/// any more. The request only ever changes to a later one in the list of StopRequest.
class LiveWorkers {
 public:
  /// A worker is among them while this object lives, which must be while the worker runs.
  class Place {
   public:
    Place(LiveWorkers& live, Worker& worker);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    LiveWorkers& live_;
    Worker& worker_;
  };

  void drain();
  void stop_now();

  void count_handlers_left(std::size_t count);

  /// Handlers that ignored their stop token when their worker ended; their threads may still run.
  std::size_t handlers_left() const;

 private:
  mutable std::mutex mutex_;  // guards all members below
  std::vector<Worker*> workers_;
  StopRequest stop_request_ = StopRequest::none;
  std::size_t handlers_left_ = 0;
};

}  // namespace weir
