#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/trust.hpp"

namespace weir {

/// Something about a sound plugin that will hurt one day. The kinds: nodelete, gnu_unique,
/// thread_locals (its code may stay mapped), constructors, destructors (code that runs as it is
/// loaded and unloaded), origin_runpath, soname_clash (it may get another library than it was built
/// with), lazy_binding (a missing symbol shows when it is called), executable_stack.
struct PluginWarning {
  std::string kind;
  std::string detail;  ///< what was met
  std::string hint;    ///< what to do about it
};

/// What plugins that are to live in one process bring along, looked at one after the other. None of
/// their code runs.  [one thread at a time]
class PluginWarnings {
 public:
  /// Warnings about a plugin that inspect() found sound, by itself and beside those that were added
  /// before it.
  std::vector<PluginWarning> add(const TrustedFile& plugin);

 private:
  struct Brought {
    std::filesystem::path library;
    std::string plugin;
  };
  std::map<std::string, Brought> libraries_;  // by the name others need
};

}  // namespace weir
