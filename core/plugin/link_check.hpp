#pragma once
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/elf_dynamic.hpp"
#include "plugin/library_search.hpp"
#include "plugin/plugin_error.hpp"

namespace weir {

/// A plugin's libraries, and those they need, found and read as the loader would, without loading
/// any: so a file can be checked where its code must not run, and a refusal by the loader can be
/// explained better than by its own message.
class LinkCheck {
 public:
  /// `plugin` must outlive it; `folder` is the folder of the plugin file, for hints alone.
  LinkCheck(const ElfDynamic& plugin, std::filesystem::path folder);
  LinkCheck(const LinkCheck&) = delete;
  LinkCheck& operator=(const LinkCheck&) = delete;

  /// The first fault that the loader would meet. Errors: missing_dependency, undefined_symbol;
  /// stage `stage`, no path.
  std::optional<PluginError> fault() const;

  /// A library this plugin needs, directly or not, as the loader finds it.
  struct Found {
    std::string name;  ///< as others need it: "libc.so.6"
    std::filesystem::path path;
  };
  std::vector<Found> libraries() const;

  /// A library whose search would find another file than the one loaded first under that name,
  /// which the loader uses for all.
  struct Clash {
    std::string name;
    std::string by;  ///< "it", or the library that needs the other file
    std::filesystem::path wanted;
    std::filesystem::path served;
    bool by_host;  ///< `served` was loaded by this program, not by one of the plugin's libraries
  };
  const std::vector<Clash>& clashes() const noexcept { return clashes_; }

  /// The library, other than the plugin, that defines `symbol`; empty when none does.
  std::string definer(std::string_view symbol) const;

 private:
  struct Library {
    std::string name;  // as others need it: "libc.so.6"
    std::filesystem::path path;
    std::string bytes;
    ElfDynamic dynamic;  // views into bytes
  };

  void add_needed(const ElfDynamic& of, const std::string& by, const std::filesystem::path& origin);
  bool add(std::string name, std::vector<std::filesystem::path> candidates);
  void note_clash(const Library& served, const std::string& by,
                  const std::vector<std::filesystem::path>& candidates);
  PluginError missing_library(std::string_view needed, const ElfDynamic& of,
                              const std::string& by) const;
  std::optional<PluginError> missing_version(const ElfDynamic& of, const std::string& by) const;
  std::optional<PluginError> undefined_symbol(const ElfDynamic& of, const std::string& by) const;

  const ElfDynamic& plugin_;
  std::filesystem::path folder_;
  LibrarySearch search_;
  std::deque<Library> libraries_;  // breadth first, as the loader searches them
  std::optional<PluginError> missing_;
  std::vector<Clash> clashes_;
};

}  // namespace weir
