#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "layers.hpp"

namespace weir {

/// One #include as it stands in a file.
struct Include {
  std::string file;  ///< from the project's root: "core/run/backoff.cpp"
  std::size_t line;
  std::string target;  ///< "base/error.hpp", "weir/flow.hpp"
  bool quoted;         ///< "…" rather than <…>
};

std::vector<Include> includes_of(const std::string& file, std::string_view text);

/// Those of every C and C++ file below `folder`, which stands in `root`.
std::vector<Include> includes_below(const std::filesystem::path& root,
                                    const std::filesystem::path& folder);

/// What breaks the rules of core/layers.txt, a line each, "" when nothing does:
/// - "…" in core/ is rooted there, and names the own layer or one that it stands on;
/// - <weir/…> is of a product that the layer, or the including product, stands on;
/// - a library is included where core/layers.txt says so, and one that takes seconds to compile by
///   one file alone;
/// - plugins/ includes what a user has: nothing of core/ but <weir/…>.
std::string violations(const Layers& layers, const std::vector<Include>& includes);

}  // namespace weir
