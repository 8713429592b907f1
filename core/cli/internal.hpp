#pragma once
#include <optional>
#include <string>
#include <vector>

namespace weir::cli {

/// Internal commands of this program, which it starts itself as `weir internal NAME …`: they
/// communicate through descriptors, not with a terminal. Runs one if the arguments name one, and
/// returns its exit status.
std::optional<int> run_internal(const std::vector<std::string>& arguments);

}  // namespace weir::cli
