#pragma once
#include <optional>
#include <string>
#include <vector>

namespace weir::cli {

/// The other faces of this program, which it starts itself as `weir internal NAME …` and no person
/// types: they speak on descriptors, not to a terminal. Runs one when the arguments name one, and
/// gives its exit status.
std::optional<int> run_internal(const std::vector<std::string>& arguments);

}  // namespace weir::cli
