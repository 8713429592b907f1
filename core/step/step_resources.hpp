#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <weir/abi/resources.h>
#include <weir/registry/shared_handles.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "registry/flow_handle.hpp"

namespace weir {

/// Identifies a resource within a process.
struct ResourceKey {
  std::string plugin;  ///< sha256 of the file whose code it is; "" for flows built into a program
  std::string name;
  const void* type = nullptr;
  friend bool operator==(const ResourceKey&, const ResourceKey&) = default;

  struct Hash {
    std::size_t operator()(const ResourceKey& key) const noexcept;
  };
};

/// For messages: `the resource "model"`.
std::string to_string(const ResourceKey& key);

class StepResource;
using ResourceTable =
    SharedHandles<ResourceKey, StepResource, std::monostate, StdSync, ResourceKey::Hash>;

/// Something that a plugin made for its steps to share. Holds the plugin's code, which destroys it.
class StepResource {
 public:
  StepResource(std::shared_ptr<const void> code, void* made, void (*destroy)(void*),
               ResourceTable::Death death)
      : code_(std::move(code)), made_(made), destroy_(destroy), death_(std::move(death)) {}
  ~StepResource() { destroy_(made_); }
  StepResource(const StepResource&) = delete;
  StepResource& operator=(const StepResource&) = delete;

  void* made() const noexcept { return made_; }
  const std::shared_ptr<const void>& code() const noexcept { return code_; }

  /// From now on no further call is given this resource.
  void discard() const { death_.announce(); }

 private:
  // Holds only the library, until destroy_ has returned; the flow may be removed before that.
  std::shared_ptr<const void> code_;
  void* made_;
  void (*destroy_)(void*);
  ResourceTable::Death death_;
};

/// The resources that the steps of one process share: weir/abi/resources.h on SharedHandles.
/// [any thread]
class StepResources {
 public:
  /// The resource of that name of the plugin that `flow` is from; made with `maker` on this thread
  /// when there is none. Errors: the one that `create` reported; those of
  /// SharedHandles::get_or_start, of which `cancelled` means that `stop` was cancelled during the
  /// wait for another call's start.
  Result<std::shared_ptr<StepResource>> acquire(const FlowHandle& flow, std::string_view name,
                                                const weir_maker& maker, Cancellation<>& stop);

  /// Implements weir_resources.refuse.
  static void refuse(weir_start* start, weir_str code, weir_str message);

  /// Ends all resources, the last made first, and makes no more; logs how many. One that a call
  /// still uses ends with that call. A repeated call does nothing.
  void end(Log& log);

  /// Ends the resources of plugins that are not `registered` (sha256) and whose flows are no longer
  /// held, so that their code can be unloaded too. Returns how many. Cost: linear in the number of
  /// all resources.
  std::size_t end_unused(const std::set<std::string>& registered);

  std::size_t count() const { return table_.count(); }

  /// How many calls are waiting for a resource that another call is making.
  std::size_t waiting() const { return table_.waiting(); }

 private:
  ResourceTable table_;
};

}  // namespace weir
