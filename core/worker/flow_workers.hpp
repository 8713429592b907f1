/// Threads: every member may be called from any thread, but for moving and ending a Place.
///
/// Invariants: a worker stands under each slug it serves, and under the empty one that is nobody's
/// slug, from its joining until its Place ends; who wakes it after that wakes nobody.
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

/// The workers of this process under the flows they serve: who they are, and how to wake those of
/// one flow when there may be runs for it, without a word from the database.
class FlowWorkers {
 public:
  struct Standing {
    WorkerId worker = 0;
    std::size_t slots = 0;
    friend bool operator==(const Standing&, const Standing&) = default;
  };

 private:
  // Rings for a worker until its place ends: a wake-up may still hold it then.
  class Bell {
   public:
    Bell(std::function<void()> runs, std::function<void()> flows)
        : runs_(std::move(runs)), flows_(std::move(flows)) {}
    bool runs() { return ring(runs_); }
    bool flows() { return ring(flows_); }
    void unhook() {
      const std::scoped_lock lock(mutex_);
      runs_ = flows_ = nullptr;
    }

   private:
    bool ring(const std::function<void()>& bell) {
      const std::scoped_lock lock(mutex_);
      if (bell) bell();
      return bell != nullptr;
    }

    std::mutex mutex_;
    std::function<void()> runs_, flows_;  // guarded by mutex_
  };
  struct Entry {
    Standing standing;
    std::shared_ptr<Bell> bell;
  };
  using Registry = KeyedRegistry<std::string, Entry>;

 public:
  /// A worker stands among the others while this lives.
  class Place {
   public:
    Place(Place&&) noexcept = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (bell_) bell_->unhook();
    }

    /// From now on the worker stands under these slugs, and no others.
    void serve(const std::vector<std::string>& slugs);

   private:
    friend FlowWorkers;
    Place(Registry& registry, std::shared_ptr<Bell> bell, Registry::Owner owner)
        : registry_(&registry), bell_(std::move(bell)), owner_(std::move(owner)) {}
    Registry* registry_;
    std::shared_ptr<Bell> bell_;
    Registry::Owner owner_;
  };

  /// Those of this process. Lives as long as it does.
  static const std::shared_ptr<FlowWorkers>& of_this_process();

  /// `runs` makes the worker look for runs, `flows` makes it look for flows; they are called on any
  /// thread while the place lives, must be quick and must not call back. This must outlive the
  /// place.
  [[nodiscard]] Place enter(const Standing& worker, const std::vector<std::string>& slugs,
                            std::function<void()> runs, std::function<void()> flows = {});

  /// Wakes the workers that serve a flow, and no others; gives how many. They look for runs at
  /// once.
  std::size_t wake(std::string_view slug) const;

  /// Has every worker look at the registry again: flows came or went, or may be run again. Gives
  /// how many workers there are.
  std::size_t wake_all() const;

  /// Who serves a flow, in the order in which they joined.
  std::vector<Standing> serving(std::string_view slug) const;

 private:
  Registry registry_{{.keys = Keys::duplicate, .name = "workers of flows"}};
};

}  // namespace weir
