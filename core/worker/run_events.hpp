/// Threads: every member may be called from any thread, but for moving and ending a Listening.
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

/// Who in this process wants to know what its workers did (E1), by flow. They are told once it is
/// committed, parents before children; what other processes do they hear from the database.
class RunEvents {
 public:
  using Listener = std::function<void(const RunEvent&)>;

 private:
  using Registry = KeyedRegistry<std::string, std::shared_ptr<const Listener>>;

 public:
  /// Somebody listens while this lives. Who is being told just then is told to the end.
  class Ear {
   public:
    Ear(Ear&&) noexcept = default;
    Ear& operator=(Ear&&) = delete;

   private:
    friend RunEvents;
    explicit Ear(Registry::Owner owner) : owner_(std::move(owner)) {}
    Registry::Owner owner_;
  };

  /// Those of this process. Lives as long as it does.
  static const std::shared_ptr<RunEvents>& of_this_process();

  /// `listener` is called on the loops of workers, for runs of one flow or, without slug, of all:
  /// it must be quick and must not throw. This must outlive the ear.
  [[nodiscard]] Ear listen(Listener listener, const std::string& slug = {});

  /// Cost while nobody listens: a load.
  bool is_listened() const { return registry_.count() > 0; }
  void tell(const std::vector<RunEvent>& events) const;

 private:
  Registry registry_{{.keys = Keys::duplicate, .name = "listeners of flows"}};
};

}  // namespace weir
