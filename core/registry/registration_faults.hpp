#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// What loading cannot have left out and no worker could do without: code for each step. Errors:
/// invalid_definition, kind invalid_flow_module.
Result<void> check_module(const FlowModule& module);

/// Whether registering one where the other is changes nothing (D7): the same definition from the
/// same file. A file's sha256 stands for its code; flows built into a program have none, so their
/// code is compared.
bool same_registration(const FlowModule& a, const FlowModule& b);

/// conflict, each naming the holder with its file and sha256 (G4).
Error duplicate_module(const FlowModule& newcomer, const FlowModule& holder);
Error duplicate_slug(const FlowModule& newcomer, const FlowModule& holder);

/// not_found, kind unknown_flow, hinting at the nearest of `names`. `what`: "has the slug".
Error unknown_flow(std::string_view what, std::string_view wanted,
                   const std::vector<std::string>& names);

/// not_found, kind unknown_version, of a slug with these fingerprints, newest first.
Error unknown_version(std::string_view slug, std::string_view wanted,
                      const std::vector<std::string>& fingerprints);

}  // namespace weir
