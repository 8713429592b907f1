/// Threads: every member may be called from any thread, but for moving and ending a Place.
///
/// Invariants: a worker stands under each slug it serves from its joining until its Place ends; who
/// wakes it after that wakes nobody.
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
    explicit Bell(std::function<void()> ring) : ring_(std::move(ring)) {}
    bool ring() {
      const std::scoped_lock lock(mutex_);
      if (ring_) ring_();
      return ring_ != nullptr;
    }
    void unhook() {
      const std::scoped_lock lock(mutex_);
      ring_ = nullptr;
    }

   private:
    std::mutex mutex_;
    std::function<void()> ring_;  // guarded by mutex_
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

   private:
    friend FlowWorkers;
    Place(std::shared_ptr<Bell> bell, Registry::Owner owner)
        : bell_(std::move(bell)), owner_(std::move(owner)) {}
    std::shared_ptr<Bell> bell_;
    Registry::Owner owner_;
  };

  /// Those of this process. Lives as long as it does.
  static const std::shared_ptr<FlowWorkers>& of_this_process();

  /// `ring` makes the worker look for runs; it is called on any thread while the place lives, must
  /// be quick and must not call back. This must outlive the place.
  [[nodiscard]] Place enter(const Standing& worker, const std::vector<std::string>& slugs,
                            std::function<void()> ring);

  /// Wakes the workers that serve a flow, and no others; gives how many. They look for runs at
  /// once.
  std::size_t wake(std::string_view slug) const;

  /// Who serves a flow, in the order in which they joined.
  std::vector<Standing> serving(std::string_view slug) const;

 private:
  Registry registry_{{.keys = Keys::duplicate, .name = "workers of flows"}};
};

}  // namespace weir
