#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/reader.hpp"

namespace weir {

/// The keys below a flow's name, and "retention", which the root has too.
Keys<FlowConfig> flow_keys();

/// The section "flows", with a mapping of flow_keys() for each slug.
void read_flows(Reader& reader, std::string_view section, const YAML::Node& value, Config& config);

/// "none" or an age; nullopt, with a fault, when it is neither.
std::optional<RetentionConfig> read_retention(Reader& reader, std::string_view key,
                                              const YAML::Node& value);

}  // namespace weir
