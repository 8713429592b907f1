#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "registry/flow_module.hpp"
#include "registry/flow_registry.hpp"

namespace weir::bench {

/// `size` flows of one step under slugs and modules of 20 and 30 bytes, and an order to ask for
/// them in. Made once for a size and never changed.  [any thread]
class Flows {
 public:
  static const Flows& of(std::size_t size);

  std::size_t size() const noexcept { return modules_.size(); }
  const FlowModule& module(std::size_t i) const noexcept { return *modules_[i]; }
  const Slug& slug(std::size_t i) const noexcept { return slugs_[i]; }

  /// The flow to ask for in round `i`: one of all, each as likely.
  const Slug& asked(std::size_t i) const noexcept { return slugs_[order_[i % rounds]]; }

  /// A copy of a module as another build of its file, so that registering it replaces.
  FlowModule rebuilt(std::size_t i, std::uint64_t build) const {
    FlowModule copy = *modules_[i % modules_.size()];
    copy.file.sha256 = fmt::format("{:064x}", build);
    return copy;
  }

  /// Registers all of them in one transaction.
  void fill(FlowRegistry& registry) const;

  static constexpr std::size_t rounds = std::size_t{1} << 16U;

 private:
  explicit Flows(std::size_t size);

  std::vector<std::unique_ptr<FlowModule>> modules_;  // each its own allocation, as in a registry
  std::vector<Slug> slugs_;
  std::vector<std::uint32_t> order_;
};

}  // namespace weir::bench
