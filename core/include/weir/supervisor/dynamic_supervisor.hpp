/// Keeps children that come and go, after Elixir's DynamicSupervisor. It is a Supervisor, one for
/// one, with these differences:
/// - It begins without children; their ids are for people, need not be given and may be the same.
///   So one specification can be started any number of times. A child is known by its pointer, or
///   by a name.
/// - A child that ended and is not restarted is forgotten, and so is one that was terminated or
///   found nothing to run.
/// - At its end all children are asked to stop at once: that takes as long as the slowest of them.
/// - It can be limited to a number of children.
///
/// Threads and invariants: as those of Supervisor.
#pragma once
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <weir/supervisor.hpp>
#include <weir/supervisor/supervisor_child.hpp>

namespace weir {

///     const auto rooms = DynamicSupervisor::start({.name = "rooms", .max_children = 100});
///     const auto hall = (*rooms)->start_child(thread_child("room", keep_room));
///     (*rooms)->terminate_child(*hall);
template <class Sync = StdSync>
class BasicDynamicSupervisor : private BasicSupervisor<Sync> {
  using Base = BasicSupervisor<Sync>;
  using typename Base::Core;

 public:
  using typename Base::Names;
  using typename Base::Observer;

  /// As those of Supervisor, and `max_children`.
  struct Options {
    std::string name = "supervisor";
    RestartLimit limit{};
    RestartBackoff backoff{};
    /// Children that wait for their restart count too.
    std::size_t max_children = std::numeric_limits<std::size_t>::max();
    std::function<ChildSpec(const std::string& key)> template_spec{};
    std::shared_ptr<Names> names{};
    Observer observer{};
  };

  /// Errors: "bad_limit", "bad_backoff"; unavailable when no thread can be created.
  static Result<std::unique_ptr<BasicDynamicSupervisor>> start(Options options,
                                                               std::optional<ChildEnd> ended = {});

  // As those of Supervisor.
  using Base::abandon;
  using Base::children;
  using Base::count_children;
  using Base::request_stop;
  using Base::resolve;  // also unavailable, kind "max_children", as start_child
  using Base::stop;
  using Base::wait;
  using Base::whereis;

  /// Starts a child; nullptr: its start found nothing to run. Errors: as those of Supervisor;
  /// unavailable, kind "max_children".
  using Base::start_child;

  /// Stops a child, or cancels its restart, and forgets it. `child` is the pointer that start_child
  /// or children() gave; a restarted child is another one. Errors: not_found, kind "unknown_child",
  /// when it has ended; unavailable, kind "over_time"; "would_deadlock", "supervisor_ended".
  Result<void> terminate_child(const std::shared_ptr<Child>& child);

 private:
  friend Base;
  template <class>
  friend class BasicSupervisorChild;
  using Base::join;
  explicit BasicDynamicSupervisor(std::shared_ptr<Core> core) : Base(std::move(core)) {}
};

using DynamicSupervisor = BasicDynamicSupervisor<>;
using DynamicSupervisorChild = BasicSupervisorChild<DynamicSupervisor>;

template <class Sync>
auto BasicDynamicSupervisor<Sync>::start(Options options, std::optional<ChildEnd> ended)
    -> Result<std::unique_ptr<BasicDynamicSupervisor>> {
  typename Base::Options common{.name = std::move(options.name),
                                .limit = options.limit,
                                .backoff = options.backoff,
                                .template_spec = std::move(options.template_spec),
                                .names = std::move(options.names),
                                .observer = std::move(options.observer)};
  return Base::template launch<BasicDynamicSupervisor>(
      std::make_shared<Core>(std::move(common), options.max_children, std::move(ended)));
}

template <class Sync>
Result<void> BasicDynamicSupervisor<Sync>::terminate_child(const std::shared_ptr<Child>& child) {
  return this->core_->template ask<void>([&] { return this->core_->terminate_child(child); });
}

/// A dynamic supervisor as a child of a supervisor; as supervisor_child, with
/// DynamicSupervisorChild.
template <class Sync>
ChildSpec basic_dynamic_supervisor_child(typename BasicDynamicSupervisor<Sync>::Options options,
                                         Shutdown shutdown = Shutdown::forever()) {
  return supervisor::child_of<BasicDynamicSupervisor<Sync>>(std::move(options), shutdown);
}

inline ChildSpec dynamic_supervisor_child(DynamicSupervisor::Options options,
                                          Shutdown shutdown = Shutdown::forever()) {
  return basic_dynamic_supervisor_child<StdSync>(std::move(options), shutdown);
}

}  // namespace weir
