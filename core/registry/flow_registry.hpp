#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/slug.hpp"
#include "definition/flow_definition.hpp"

#include <weir/abi/plugin.h>

namespace weir {

/// The file a flow came from: every error that names a holder shows it, every attempt records its sha256.
struct PluginFile {
  std::string path;    ///< as found in the plugin folder; "" for flows built into a program
  std::string sha256;  ///< 64 hex digits; "" likewise
  friend bool operator==(const PluginFile&, const PluginFile&) = default;
};

/// A flow with its code: what a registry holds and workers run. Immutable.  [any thread]
struct FlowModule {
  FlowDefinition definition;
  std::vector<const weir_step*> steps;  ///< by position in definition.steps(); the code behind them is `code`'s
  PluginFile file;
  std::shared_ptr<const void> code;  ///< keeps the library mapped; null for flows built into a program
};

/// A module somebody holds. While it lives, the definition and its code stay valid (G6), also when the flow
/// is replaced or removed meanwhile. Copies are cheap.
using FlowHandle = std::shared_ptr<const FlowModule>;

/// Thrown by register_or_throw alone.
class RegistrationError : public std::runtime_error {
 public:
  explicit RegistrationError(Error error) : std::runtime_error(to_string(error)), error_(std::move(error)) {}
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

}  // namespace weir
