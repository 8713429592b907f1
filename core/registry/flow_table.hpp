#pragma once
#include <map>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "registry/flow_handle.hpp"
#include "registry/flow_registry.hpp"

namespace weir {

/// What a registry holds at one moment: flows by module name and by slug. A copy is changed with
/// place and remove, made whole with index_slugs, and from then on only read.
///
/// Invariants once index_slugs went well: both indexes hold the same modules, the one by slug
/// having been made from the one by module alone, so no slug is stale and none is missing (G3); no
/// two slugs differ by case alone (D1). Every key is a view into the definition its handle keeps.
class FlowTable {
 public:
  using Index = std::map<std::string_view, FlowHandle>;

  /// Puts a module in the index by module. Errors: duplicate_module, when it is there from another
  /// path and `from_any_file` is not set; invalid_flow_module. Slugs are looked at by index_slugs.
  Result<FlowRegistry::Change> place(const FlowHandle& newcomer, bool from_any_file);

  FlowRegistry::Change remove(std::string_view module);

  /// Makes the index by slug. Errors: duplicate_slug; of two that collide, the one that stood in
  /// `before` is called the holder.
  Result<void> index_slugs(const FlowTable& before);

  std::optional<FlowHandle> by_module(std::string_view name) const;
  std::optional<FlowHandle> by_slug(std::string_view slug) const;

  const Index& modules() const noexcept { return by_module_; }
  const Index& slugs() const noexcept { return by_slug_; }

 private:
  Index by_module_;
  Index by_slug_;
};

}  // namespace weir
