/// Threads: every member may be called from any thread, except moving and destroying a Registration.
///
/// Invariants: a worker is registered under each slug it serves, and under the empty string, which
/// is no flow's slug, from when it joins until its Registration is destroyed; a wake-up after that has no
/// effect.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/registry/keyed_registry.hpp>

#include "store/worker_store.hpp"

namespace weir {

/// The workers of this process, by the flows they serve: lists them, and wakes those of one flow
/// when there may be runs for it, without a notification from the database.
class FlowWorkers {
 public:
  struct WorkerInfo {
    WorkerId worker = 0;
    std::size_t slots = 0;
    friend bool operator==(const WorkerInfo&, const WorkerInfo&) = default;
  };

 private:
  // Wakes a worker, until its registration ends. It is shared, because a wake-up may hold it longer.
  class Waker {
   public:
    Waker(std::function<void()> runs, std::function<void()> flows)
        : runs_(std::move(runs)), flows_(std::move(flows)) {}
    bool runs() { return call(runs_); }
    bool flows() { return call(flows_); }
    void disconnect() {
      const std::scoped_lock lock(mutex_);
      runs_ = flows_ = nullptr;
    }

   private:
    bool call(const std::function<void()>& waker) {
      const std::scoped_lock lock(mutex_);
      if (waker) waker();
      return waker != nullptr;
    }

    std::mutex mutex_;
    std::function<void()> runs_, flows_;  // guarded by mutex_
  };
  struct Entry {
    WorkerInfo info;
    std::shared_ptr<Waker> waker;
  };
  using Registry = KeyedRegistry<std::string, Entry>;

 public:
  /// A worker is registered while this object lives.
  class Registration {
   public:
    Registration(Registration&&) noexcept = default;
    Registration& operator=(Registration&&) = delete;
    ~Registration() {
      if (waker_) waker_->disconnect();
    }

    /// From now on the worker is registered under these slugs, and no others.
    void serve(const std::vector<std::string>& slugs);

   private:
    friend FlowWorkers;
    Registration(Registry& registry, std::shared_ptr<Waker> waker, Registry::Owner owner)
        : registry_(&registry), waker_(std::move(waker)), owner_(std::move(owner)) {}
    Registry* registry_;
    std::shared_ptr<Waker> waker_;
    Registry::Owner owner_;
  };

  /// The object of this process. Lives until the process ends.
  static const std::shared_ptr<FlowWorkers>& of_this_process();

  /// Registers a worker. `runs` makes it scan for runs, `flows` makes it read the registry; they
  /// are called on any thread while the registration lives, must be quick and must not call this object.
  /// The object must outlive the registration.
  [[nodiscard]] Registration register_worker(const WorkerInfo& worker,
                                             const std::vector<std::string>& slugs,
                                             std::function<void()> runs,
                                             std::function<void()> flows = {});

  /// Wakes the workers that serve a flow, and no others; returns how many. They scan for runs
  /// immediately.
  std::size_t wake(std::string_view slug) const;

  /// Makes every worker read the registry again, because flows were added, removed or released from
  /// quarantine. Returns how many workers there are.
  std::size_t wake_all() const;

  /// The workers that serve a flow, in the order in which they joined.
  std::vector<WorkerInfo> serving(std::string_view slug) const;

 private:
  Registry registry_{{.keys = Keys::duplicate, .name = "workers of flows"}};
};

}  // namespace weir
