#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// Where this machine's loader searches for a library: LD_LIBRARY_PATH, /etc/ld.so.cache, the
/// system's folders. A snapshot, made once and used for any number of lookups.
class LibrarySearch {
 public:
  LibrarySearch();

  /// The files that may be the library `name`, in the loader's order; only existing ones. `runpath`
  /// is that of the library that needs it, `origin` its folder; empty when $ORIGIN has no meaning.
  std::vector<std::filesystem::path> candidates(std::string_view name, std::string_view runpath,
                                                const std::filesystem::path& origin) const;

 private:
  std::vector<std::filesystem::path> environment_;
  std::multimap<std::string, std::filesystem::path, std::less<>> cache_;
};

}  // namespace weir
