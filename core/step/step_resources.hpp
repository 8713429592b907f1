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

/// What tells one resource of a process from another.
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

/// Something a plugin made for its steps to share, and the hold on the plugin's code that ends it.
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

  /// Has nobody be given it any more.
  void discard() const { death_.announce(); }

 private:
  // The library alone, until destroy_ has returned: the flow may be gone before.
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
  /// when there is none. Errors: what `create` said; those of SharedHandles::get_or_start, of which
  /// `cancelled` means that `stop` was cancelled during the wait for another call's start.
  Result<std::shared_ptr<StepResource>> acquire(const FlowHandle& flow, std::string_view name,
                                                const weir_maker& maker, Cancellation<>& stop);

  /// weir_resources.refuse.
  static void refuse(weir_start* start, weir_str code, weir_str message);

  /// Ends all, the last made first, and makes no more; the log tells how many. One that a call
  /// still uses ends with that call. Again does nothing.
  void end(Log& log);

  /// Ends those of plugins that are not `registered` (sha256) and of which nobody holds a flow any
  /// more, so that their code can go too. Returns how many. Cost: linear in the number of all.
  std::size_t end_left(const std::set<std::string>& registered);

  std::size_t count() const { return table_.count(); }

  /// How many calls wait just now for what another one makes.
  std::size_t waiting() const { return table_.waiting(); }

 private:
  ResourceTable table_;
};

}  // namespace weir
