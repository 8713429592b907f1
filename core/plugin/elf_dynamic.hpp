#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "plugin/elf_image.hpp"

namespace weir {

/// What a library exports and needs, read from its dynamic section. All views point into the
/// image's bytes.
struct ElfDynamic {
  struct Symbol {
    std::string_view name;
    std::uint64_t address;
    std::uint64_t size;
    bool defined;
    bool weak;
    bool data;    ///< an object, not a function
    bool unique;  ///< STB_GNU_UNIQUE: the first of its name in the process is used by all
  };
  struct VersionNeed {
    std::string_view library;  ///< "libc.so.6"
    std::string_view version;  ///< "GLIBC_2.38"
    bool weak;
  };

  bool program = false;                  ///< linked as a position-independent program
  bool nodelete = false;                 ///< linked so that it is never unloaded
  bool binds_now = false;                ///< all symbols are resolved when it is loaded
  std::size_t constructors = 0;          ///< entries of DT_INIT_ARRAY; one is the compiler's
  std::size_t destructors = 0;           ///< entries of DT_FINI_ARRAY; one is the compiler's
  std::vector<std::string_view> needed;  ///< DT_NEEDED: "libc.so.6"
  std::string_view runpath;              ///< DT_RUNPATH, else DT_RPATH
  std::vector<Symbol> symbols;           ///< global and weak ones
  std::vector<VersionNeed> version_needs;
  std::vector<std::string_view> versions_defined;

  /// The definition of an exported symbol; nullptr when this library does not define it.
  const Symbol* definition(std::string_view name) const noexcept;

  /// Errors: damaged; stage verify, no path.
  static std::expected<ElfDynamic, PluginError> parse(const ElfImage& image);
};

}  // namespace weir
