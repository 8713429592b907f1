#pragma once
#include <filesystem>
#include <string>

#include "base/json.hpp"
#include "cli/catalogue.hpp"
#include "cli/terminal.hpp"

namespace weir::cli {

/// {"module", "slug", "fingerprint", "plugin": {"path", "sha256"}, "steps": [{"slug", "kind",
/// "depends_on", and every option by its name in manifests}]}, options as the flow runs with them.
Json flow_json(const CatalogueFlow& flow);

/// A table, a flow a line.
std::string flows_text(const Catalogue& catalogue, const Terminal& terminal);

/// Where the flow comes from, its graph drawn, and a table of its steps.
std::string flow_text(const CatalogueFlow& flow, const Terminal& terminal);

/// The graph for Graphviz.
std::string flow_dot(const FlowDefinition& flow);

/// A path for people: relative when it lies below the current folder.
std::string shown_path(const std::filesystem::path& path);

}  // namespace weir::cli
