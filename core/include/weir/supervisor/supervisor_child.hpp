#pragma once
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/supervisor.hpp>

namespace weir {

/// A supervisor with its children as a child of another: if it gives up, it has died. By default
/// its end is waited for without a limit, since each of its children has one.
///
/// Threads: as a supervisor, with a supervising thread of its own.
template <class Sync>
ChildSpec basic_supervisor_child(typename BasicSupervisor<Sync>::Options options,
                                 std::vector<ChildSpec> children,
                                 Shutdown shutdown = Shutdown::forever()) {
  class SupervisorChild final : public Child {
   public:
    explicit SupervisorChild(std::unique_ptr<BasicSupervisor<Sync>> supervisor)
        : supervisor_(std::move(supervisor)) {}
    void stop() override { supervisor_->request_stop(); }
    void collect() override { supervisor_.reset(); }
    void abandon() override { supervisor_->abandon(); }

   private:
    std::unique_ptr<BasicSupervisor<Sync>> supervisor_;
  };
  std::string id = options.name;
  return {.id = std::move(id),
          .start = [options = std::move(options), children = std::move(children)](
                       ChildEnd end) -> Result<std::shared_ptr<Child>> {
            auto begun = BasicSupervisor<Sync>::start(options, children, std::move(end));
            if (!begun) return std::unexpected(std::move(begun.error()));
            return std::make_shared<SupervisorChild>(*std::move(begun));
          },
          .restart = Restart::permanent,
          .shutdown = shutdown,
          .name = {}};
}

inline ChildSpec supervisor_child(Supervisor::Options options, std::vector<ChildSpec> children,
                                  Shutdown shutdown = Shutdown::forever()) {
  return basic_supervisor_child<StdSync>(std::move(options), std::move(children), shutdown);
}

}  // namespace weir
