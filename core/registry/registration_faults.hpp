#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "registry/flow_module.hpp"

namespace weir {

/// Checks that there is code for each step that needs it; modules of plugins have it once they are
/// loaded. Errors: invalid_definition, kind invalid_flow_module.
Result<void> check_module(const FlowModule& module);

/// Whether registering one where the other is registered changes nothing (D7): the same definition
/// from the same file. A file's sha256 identifies its code; flows built into a program have none,
/// so their code is compared.
bool same_registration(const FlowModule& a, const FlowModule& b);

/// A conflict, which names the holder with its file and sha256 (G4).
Error duplicate_module(const FlowModule& newcomer, const FlowModule& holder);
Error duplicate_slug(const FlowModule& newcomer, const FlowModule& holder);

/// A not_found, kind unknown_flow, with a hint at the nearest of `names`. `what`: "has the slug".
Error unknown_flow(std::string_view what, std::string_view wanted,
                   const std::vector<std::string>& names);

/// A not_found, kind unknown_version, for a slug with these fingerprints, newest first.
Error unknown_version(std::string_view slug, std::string_view wanted,
                      const std::vector<std::string>& fingerprints);

}  // namespace weir
