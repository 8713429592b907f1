#pragma once
#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "cli/catalogue.hpp"
#include "cli/terminal/terminal.hpp"

namespace weir::cli {

/// {"module", "slug", "fingerprint", "plugin": {"path", "sha256"}, "steps": [{"slug", "kind",
/// "depends_on", every option that applies to that kind by its name in manifests, "signal" of a
/// wait, "flow" of a flow step, "only_if", "unless" and "when_unmet" if there is a condition,
/// "when_exhausted" unless it is fail}]}. The options are those that the flow runs with.
Json flow_json(const CatalogueFlow& flow);

/// A table with one line per flow.
std::string flows_text(const Catalogue& catalogue, const Terminal& terminal);

/// The flow's plugin, its graph (`each[]` is a map, `(ask)` a wait, `charge()` a flow step, `ship?`
/// has a condition), a table of its steps, and their rules that are not in the table.
std::string flow_text(const CatalogueFlow& flow, const Terminal& terminal);

/// The graph for Graphviz; dashed arrows lead to steps with a condition.
std::string flow_dot(const FlowDefinition& flow);

/// A path for people: relative when it is below the current folder.
std::string shown_path(const std::filesystem::path& path);

}  // namespace weir::cli
