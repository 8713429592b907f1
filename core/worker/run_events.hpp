/// Threads: every member may be called from any thread, except moving and destroying an Subscription.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/client/run_event.hpp>
#include <weir/registry/keyed_registry.hpp>

namespace weir {

/// The listeners of this process for events of its own workers (E1), by flow. An event is published
/// once it is committed, parents before children; events of other processes come from the database.
class RunEvents {
 public:
  using Listener = std::function<void(const RunEvent&)>;

 private:
  using Registry = KeyedRegistry<std::string, std::shared_ptr<const Listener>>;

 public:
  /// A listener is registered while this object lives. A call of it that is in progress when the
  /// object is destroyed runs to its end.
  class Subscription {
   public:
    Subscription(Subscription&&) noexcept = default;
    Subscription& operator=(Subscription&&) = delete;

   private:
    friend RunEvents;
    explicit Subscription(Registry::Owner owner) : owner_(std::move(owner)) {}
    Registry::Owner owner_;
  };

  /// The object of this process. Lives until the process ends.
  static const std::shared_ptr<RunEvents>& of_this_process();

  /// `listener` is called on the loops of workers, for runs of one flow or, without a slug, of all
  /// flows: it must be quick and must not throw. The object must outlive the subscription.
  [[nodiscard]] Subscription listen(Listener listener, const std::string& slug = {});

  /// Costs one load while there is no listener.
  bool has_listeners() const { return registry_.count() > 0; }
  void publish(const std::vector<RunEvent>& events) const;

 private:
  Registry registry_{{.keys = Keys::duplicate, .name = "listeners of flows"}};
};

}  // namespace weir
