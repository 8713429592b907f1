#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/supervisor.hpp>

namespace weir {

/// A supervisor as a child of another: if it gives up, it has died.
///
///     ChildSpec spec = supervisor_child({.name = "tokens", .template_spec = token}, {});
///     spec.name = "tokens";
///     …
///     const auto tokens = std::dynamic_pointer_cast<SupervisorChild>(outer.whereis("tokens"));
///     const auto alice = tokens->supervisor().resolve("alice");
///
/// Threads: as a supervisor, with a supervising thread of its own.
template <class Inner>
class BasicSupervisorChild final : public Child {
 public:
  explicit BasicSupervisorChild(std::unique_ptr<Inner> supervisor)
      : supervisor_(std::move(supervisor)) {}

  /// Valid while a pointer to this child is held; its calls are refused once it has ended (kind
  /// "supervisor_ended"), also when it was started again: that is another one.  [any thread]
  Inner& supervisor() const noexcept { return *supervisor_; }

  void stop() override { supervisor_->request_stop(); }
  void collect() override { supervisor_->join(); }
  void abandon() override { supervisor_->abandon(); }

 private:
  std::unique_ptr<Inner> supervisor_;
};

namespace supervisor {

template <class Inner, class... Children>
ChildSpec child_of(typename Inner::Options options, Shutdown shutdown, Children... children) {
  ChildSpec spec{.shutdown = shutdown, .type = ChildType::supervisor};
  spec.id = options.name;
  spec.start = [options = std::move(options), ... children = std::move(children)](
                   ChildEnd end) -> Result<std::shared_ptr<Child>> {
    auto begun = Inner::start(options, children..., std::move(end));
    if (!begun) return std::unexpected(std::move(begun.error()));
    return std::make_shared<BasicSupervisorChild<Inner>>(*std::move(begun));
  };
  return spec;
}

}  // namespace supervisor

/// A supervisor with its children as a child. By default its end is waited for without a limit,
/// since each of its children has one.
template <class Sync>
ChildSpec basic_supervisor_child(typename BasicSupervisor<Sync>::Options options,
                                 std::vector<ChildSpec> children,
                                 Shutdown shutdown = Shutdown::forever()) {
  return supervisor::child_of<BasicSupervisor<Sync>>(std::move(options), shutdown,
                                                     std::move(children));
}

inline ChildSpec supervisor_child(Supervisor::Options options, std::vector<ChildSpec> children,
                                  Shutdown shutdown = Shutdown::forever()) {
  return basic_supervisor_child<StdSync>(std::move(options), std::move(children), shutdown);
}

using SupervisorChild = BasicSupervisorChild<Supervisor>;

}  // namespace weir
