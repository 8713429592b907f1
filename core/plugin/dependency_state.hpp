#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "plugin/library_search.hpp"

namespace weir {

/// The present state of the libraries that plugins need: path, size and times of each, and of the
/// loader's cache, which changes with every installation. A snapshot for a batch: each file is
/// examined once.  [one thread]
class DependencyState {
 public:
  /// A text that changes when a directly needed library changes. `needed` and `runpath` as in
  /// PluginInspection.
  std::string of(std::span<const std::string> needed, std::string_view runpath);

 private:
  std::optional<LibrarySearch> search_;       // read when it is needed
  std::map<std::string, std::string> known_;  // by runpath and name
};

}  // namespace weir
