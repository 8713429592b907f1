/// Threads: every member may be called from any thread, except moving and destroying an Ear.
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
  class Ear {
   public:
    Ear(Ear&&) noexcept = default;
    Ear& operator=(Ear&&) = delete;

   private:
    friend RunEvents;
    explicit Ear(Registry::Owner owner) : owner_(std::move(owner)) {}
    Registry::Owner owner_;
  };

  /// The object of this process. Lives until the process ends.
  static const std::shared_ptr<RunEvents>& of_this_process();

  /// `listener` is called on the loops of workers, for runs of one flow or, without a slug, of all
  /// flows: it must be quick and must not throw. The object must outlive the ear.
  [[nodiscard]] Ear listen(Listener listener, const std::string& slug = {});

  /// Costs one load while there is no listener.
  bool is_listened() const { return registry_.count() > 0; }
  void tell(const std::vector<RunEvent>& events) const;

 private:
  Registry registry_{{.keys = Keys::duplicate, .name = "listeners of flows"}};
};

}  // namespace weir
