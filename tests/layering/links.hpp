#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "layers.hpp"

namespace weir {

/// A symbol of an archive, and whose it is.
struct LinkedSymbol {
  std::string layer;
  std::string name;  ///< mangled
  bool defined;      ///< rather than needed
};

/// Those that nm tells of a layer's archive. Throws std::runtime_error when it tells none.
std::vector<LinkedSymbol> symbols_of(const std::string& layer,
                                     const std::filesystem::path& archive);

/// Symbols that a layer needs, that it has not, and that only layers define on which it does not
/// stand; a line for each two layers, "" when there are none. So nobody gets round the includes by
/// declaring a function of somebody else's.
std::string link_violations(const Layers& layers, const std::vector<LinkedSymbol>& symbols);

/// The shared objects that a program or library needs (DT_NEEDED): "libpqxx-6.4.so".
std::vector<std::string> needed_by(const std::filesystem::path& file);

/// Those among `needed` that are of a library which neither `layer` nor what it stands on uses, a
/// line each.
std::string needed_violations(const Layers& layers, const std::string& layer,
                              const std::vector<std::string>& needed);

/// What a shell command prints. Throws std::runtime_error when it cannot be started.
std::string output_of(const std::string& command);

}  // namespace weir
