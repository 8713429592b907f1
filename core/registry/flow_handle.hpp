#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <weir/abi/plugin.h>

#include "definition/flow_definition.hpp"

namespace weir {

/// The file a flow came from: every error that names a holder shows it, every attempt records its
/// sha256.
struct PluginFile {
  std::string path;    ///< as found in the plugin folder; "" for flows built into a program
  std::string sha256;  ///< 64 hex digits; "" likewise
  friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

/// A flow with its code: what a registry holds and workers run. Immutable.  [any thread]
struct FlowModule {
  FlowDefinition definition;
  std::vector<const weir_step*>
      steps;  ///< by position in definition.steps(); the code behind them is `code`'s
  PluginFile file;
  std::shared_ptr<const void>
      code;  ///< keeps the library mapped; null for flows built into a program
};

/// A module somebody holds. While it lives, the definition and its code stay valid (G6), also when
/// the flow is replaced or removed meanwhile. Copies are cheap. Empty until assigned; only a handle
/// that converts to true may be dereferenced.  [any thread; one handle object as any value: one
/// writer or many readers]
class FlowHandle {
 public:
  FlowHandle() = default;
  explicit FlowHandle(FlowModule module)
      : module_(std::make_shared<const FlowModule>(std::move(module))) {}

  const FlowModule& operator*() const noexcept { return *module_; }
  const FlowModule* operator->() const noexcept { return module_.get(); }
  explicit operator bool() const noexcept { return module_ != nullptr; }

  /// Whether both hold the very same registration.
  friend bool operator==(const FlowHandle&, const FlowHandle&) = default;

 private:
  std::shared_ptr<const FlowModule> module_;
};

}  // namespace weir
