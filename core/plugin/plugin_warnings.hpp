#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/trust.hpp"

namespace weir {

/// Something about a sound plugin that may cause trouble later. The kinds: nodelete, gnu_unique,
/// thread_locals (its code may stay mapped), constructors, destructors (code that runs when it is
/// loaded and unloaded), origin_runpath, soname_clash (it may get another library than it was built
/// with), lazy_binding (a missing symbol is noticed when it is called), executable_stack.
struct PluginWarning {
  std::string kind;
  std::string detail;  ///< what was found
  std::string hint;    ///< what to do about it
};

/// Examines plugins that will share a process, one after the other, with the libraries they need.
/// None of their code runs.  [one thread at a time]
class PluginWarnings {
 public:
  /// Warnings about a plugin that inspect() found sound, by itself and together with those that
  /// were added before it.
  std::vector<PluginWarning> add(const TrustedFile& plugin);

 private:
  struct FirstUse {
    std::filesystem::path library;
    std::string plugin;
  };
  std::map<std::string, FirstUse> libraries_;  // by the name under which they are needed
};

}  // namespace weir
