#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "plugin/elf_image.hpp"

namespace weir {

/// What a library gives to and wants from others, read from its dynamic section. All views point
/// into the image's bytes.
struct ElfDynamic {
  struct Symbol {
    std::string_view name;
    std::uint64_t address;
    std::uint64_t size;
    bool defined;
    bool weak;
    bool data;    ///< an object, not a function
    bool unique;  ///< STB_GNU_UNIQUE: the first of its name in the process stands for all
  };
  struct VersionNeed {
    std::string_view library;  ///< "libc.so.6"
    std::string_view version;  ///< "GLIBC_2.38"
    bool weak;
  };

  bool program = false;                  ///< linked as a position-independent program
  bool nodelete = false;                 ///< linked to stay once it is loaded
  bool binds_now = false;                ///< all symbols are looked up as it is loaded
  std::size_t constructors = 0;          ///< entries of DT_INIT_ARRAY; the compiler has one itself
  std::size_t destructors = 0;           ///< likewise of DT_FINI_ARRAY
  std::string_view soname;               ///< DT_SONAME; empty when it has none
  std::vector<std::string_view> needed;  ///< DT_NEEDED: "libc.so.6"
  std::string_view runpath;              ///< DT_RUNPATH, else DT_RPATH
  std::vector<Symbol> symbols;           ///< global and weak ones
  std::vector<VersionNeed> version_needs;
  std::vector<std::string_view> versions_defined;

  /// The definition of a symbol others can see; nullptr when there is none here.
  const Symbol* definition(std::string_view name) const noexcept;

  /// Errors: damaged; stage verify, no path.
  static std::expected<ElfDynamic, PluginError> parse(const ElfImage& image);
};

}  // namespace weir
