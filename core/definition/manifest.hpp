#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// What a plugin says of itself, in its ELF note and at its definition symbol:
///
///     {"weir": 1, "plugin": "order_totals", "version": "1.0.0", "flows": [
///       {"module": "shop.OrderTotals", "slug": "order_totals", "max_attempts": 5,
///        "input_schema": {"type": "object", …},
///        "steps": [{"slug": "fetch", "kind": "single", "depends_on": [], "timeout_ms": 30000},
///        …]}]}
///
/// Options (option_rules) stand directly in the flow, for all its steps, or in a step; all are
/// optional, so are kind, depends_on, version, input_schema and "requires", the names of extensions
/// without which the plugin can't work: ["weir.resources.v1"]. The manifest's format is
/// schemas/manifest.schema.json.
struct Manifest {
  static constexpr std::size_t bytes_max = 1024 * 1024;
  static constexpr std::size_t flows_max = 256;

  std::string plugin;
  std::string version;
  std::vector<std::string> extensions{};  ///< "requires": of the host's, by name, as
                                          ///< weir_host.extension takes them
  std::vector<FlowDraft>
      flows;  ///< in the manifest's order, steps too: the order of the definition symbol
  Json text;

  /// Reads the form, and that no two flows share a module or a slug; FlowDefinition::build checks
  /// what each says. All faults at once, at most FaultList::told_max. Errors: invalid_definition;
  /// kinds bad_manifest (not JSON, wrong type, missing key, unknown key with the nearest name),
  /// duplicate_module, duplicate_slug, and requires_newer_weir (a "weir" above 1, then alone:
  /// nothing else can be judged). Each message names the place as a JSON pointer.
  static std::expected<Manifest, Faults> parse(std::string_view text);
};

}  // namespace weir
