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

/// A plugin's libraries, and theirs, found and read as the loader would, without loading any: so a
/// file can be checked where its code must not run, and a refusal of the loader be told in our own
/// words.
class LinkCheck {
 public:
  /// `plugin` must outlive it; `folder` is where the plugin file lies, for hints alone.
  LinkCheck(const ElfDynamic& plugin, std::filesystem::path folder);
  LinkCheck(const LinkCheck&) = delete;
  LinkCheck& operator=(const LinkCheck&) = delete;

  /// The first thing the loader would stumble over. Errors: missing_dependency, undefined_symbol;
  /// stage `stage`, no path.
  std::optional<PluginError> fault() const;

  /// A library this plugin brings along, as the loader finds it.
  struct Found {
    std::string name;  ///< as others need it: "libc.so.6"
    std::filesystem::path path;
  };
  std::vector<Found> libraries() const;

  /// Somebody who would find another file under a name that is taken: the first one serves all.
  struct Clash {
    std::string name;
    std::string by;  ///< "it", or the library that wants the other one
    std::filesystem::path wanted;
    std::filesystem::path served;
    bool by_host;  ///< this program brought it, not one of the plugin's libraries
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
