#pragma once
#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "cli/catalogue.hpp"
#include "cli/terminal/terminal.hpp"

namespace weir::cli {

/// {"module", "slug", "fingerprint", "plugin": {"path", "sha256"}, "steps": [{"slug", "kind",
/// "depends_on", every option that means something to that kind by its name in manifests, "signal"
/// of a wait, "flow" of a flow step, "only_if", "unless" and "when_unmet" where there is a
/// condition, "when_exhausted" where it is not fail}]}, options as the flow runs with them.
Json flow_json(const CatalogueFlow& flow);

/// A table, a flow a line.
std::string flows_text(const Catalogue& catalogue, const Terminal& terminal);

/// Where the flow comes from, its graph drawn (`each[]` a map, `(ask)` a wait, `charge()` a flow
/// step, `ship?` under a condition), a table of its steps, and what it does not tell of them.
std::string flow_text(const CatalogueFlow& flow, const Terminal& terminal);

/// The graph for Graphviz; dashed arrows lead to steps under a condition.
std::string flow_dot(const FlowDefinition& flow);

/// A path for people: relative when it lies below the current folder.
std::string shown_path(const std::filesystem::path& path);

}  // namespace weir::cli
