#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugin/library_search.hpp"

namespace weir {

/// What this machine has now of the libraries that plugins need: path, size and times of each, and
/// of the loader's cache, which changes with every installation. A snapshot for a batch: each is
/// looked at once.  [one thread]
class DependencyState {
 public:
  /// A text that is another one when a library that is needed directly is another one. `needed` and
  /// `runpath` as in PluginInspection.
  std::string of(std::span<const std::string> needed, std::string_view runpath);

 private:
  std::optional<LibrarySearch> search_;       // read when it is needed
  std::map<std::string, std::string> known_;  // by runpath and name
};

}  // namespace weir
