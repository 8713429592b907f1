#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

/// A plugin's description of itself, in its ELF note and at its definition symbol:
///
///     {"weir": 1, "plugin": "order_totals", "version": "1.0.0", "flows": [
///       {"module": "shop.OrderTotals", "slug": "order_totals", "max_attempts": 5,
///        "input_schema": {"type": "object", …},
///        "steps": [{"slug": "fetch", "kind": "single", "depends_on": [], "timeout_ms": 30000},
///        …]}]}
///
/// Options (option_rules) are members of the flow, for all its steps, or of a step; all are
/// optional, and so are kind, depends_on, version, input_schema and "requires", the names of
/// extensions without which the plugin can't work: ["weir.resources.v1"]. The manifest's format is
/// schemas/manifest.schema.json.
struct Manifest {
  static constexpr std::size_t bytes_max = 1024 * 1024;
  static constexpr std::size_t flows_max = 256;

  std::string plugin;
  std::string version;
  /// "requires": names of extensions of the host, as weir_host.extension takes them.
  std::vector<std::string> extensions{};
  /// Flows and their steps are in the manifest's order, which is that of the definition symbol.
  std::vector<FlowDraft> flows;
  Json text;

  /// Checks the form, and that no two flows share a module or a slug; FlowDefinition::build checks
  /// the content of each flow. Reports all faults at once, at most FaultList::reported_max. Errors:
  /// invalid_definition; kinds bad_manifest (not JSON, wrong type, missing key, unknown key with
  /// the nearest name), duplicate_module, duplicate_slug, and requires_newer_weir (a "weir" above
  /// 1, which is then the only fault: the rest cannot be judged). Each message names the place as
  /// a JSON pointer.
  static std::expected<Manifest, Faults> parse(std::string_view text);
};

}  // namespace weir
