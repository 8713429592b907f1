#pragma once
#include <utility>

#include "base/assert.hpp"
#include "registry/flow_entry.hpp"
#include "registry/flow_module.hpp"

namespace weir {

template <class Sync>
class BasicFlowRegistry;

/// Holds a module. While the handle lives, the definition and its code stay valid (G6), even when
/// the flow is replaced or removed meanwhile, and when the registry is destroyed. Empty until
/// assigned; only a handle that converts to true may be dereferenced.
///
/// Two words. Cost: a copy and a destruction are one RMW each, on the count that the handle was
/// taken on, which threads share only if they copied handles from one another; a move is free. The
/// last handle of a module that left the registry destroys the module, on its thread.
/// [any thread; one handle object as any value: one writer or many readers]
template <class Sync = StdSync>
class BasicFlowHandle {
 public:
  BasicFlowHandle() noexcept = default;

  /// Holds a module that is in no registry.
  explicit BasicFlowHandle(FlowModule module)
      : entry_(new FlowEntry<Sync>(std::move(module))), count_(&entry_->pins.alone()) {}

  BasicFlowHandle(const BasicFlowHandle& other) noexcept
      : entry_(other.entry_), count_(other.count_) {
    if (entry_ != nullptr) Pins<Sync>::take_again(*count_);
  }
  BasicFlowHandle(BasicFlowHandle&& other) noexcept
      : entry_(std::exchange(other.entry_, nullptr)), count_(other.count_) {}
  BasicFlowHandle& operator=(BasicFlowHandle other) noexcept {
    std::swap(entry_, other.entry_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~BasicFlowHandle() {
    if (entry_ != nullptr) FlowEntry<Sync>::drop(entry_, *count_);
  }

  const FlowModule& operator*() const noexcept {
    WEIR_DEBUG_ASSERT(entry_ != nullptr);
    return entry_->module;
  }
  const FlowModule* operator->() const noexcept { return &**this; }
  explicit operator bool() const noexcept { return entry_ != nullptr; }

  /// Whether both hold the same registration.
  friend bool operator==(const BasicFlowHandle& a, const BasicFlowHandle& b) noexcept {
    return a.entry_ == b.entry_;
  }

 private:
  friend class BasicFlowRegistry<Sync>;

  // Holds what the caller found in its read section.
  explicit BasicFlowHandle(FlowEntry<Sync>& found) noexcept
      : entry_(&found), count_(&found.pins.take()) {}

  FlowEntry<Sync>* entry_ = nullptr;
  typename Pins<Sync>::Count* count_ = nullptr;
};

using FlowHandle = BasicFlowHandle<StdSync>;

}  // namespace weir
