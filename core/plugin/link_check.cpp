#include "plugin/link_check.hpp"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <fmt/core.h>
#include <link.h>

#include "base/file_bytes.hpp"
#include "base/in_quotes.hpp"
#include "plugin/library_search.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

// A library that this process has loaded already is used whatever the search would find: the loader
// goes by name.
fs::path already_loaded(const std::string& name) {
  if (name.contains('/')) return {};  // the loader would open the file just to find out
  void* const handle = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return {};
  link_map* map = nullptr;
  fs::path path;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0) path = map->l_name;
  ::dlclose(handle);
  return path;
}

// Whether the program or its own libraries define the symbol for everything loaded later.
bool defined_by_host(std::string_view symbol) {
  ::dlerror();
  static_cast<void>(::dlsym(RTLD_DEFAULT, std::string(symbol).c_str()));
  return ::dlerror() == nullptr;
}

// A plugin may name any file as its library, even /proc/kcore.
constexpr std::size_t library_bytes_max = std::size_t{1} << 30U;

std::optional<PluginError> fault_of(PluginFault kind, std::string detail, std::string_view hint) {
  return refusal(PluginStage::stage, kind, std::move(detail), hint).error();
}

}  // namespace

LinkCheck::LinkCheck(const ElfDynamic& plugin, fs::path folder)
    : plugin_(plugin), folder_(std::move(folder)) {
  add_needed(plugin_, "it", {});
  for (std::size_t i = 0; i < libraries_.size(); ++i)  // which grows in the loop
    add_needed(libraries_[i].dynamic, libraries_[i].path.string(),
               libraries_[i].path.parent_path());
}

void LinkCheck::add_needed(const ElfDynamic& of, const std::string& by, const fs::path& origin) {
  for (const std::string_view needed : of.needed) {
    const auto candidates = search_.candidates(needed, of.runpath, origin);
    const auto known = std::ranges::find(libraries_, needed, &Library::name);
    if (known != libraries_.end())
      note_clash(*known, by, candidates);
    else if (add(std::string(needed), candidates))
      note_clash(libraries_.back(), by, candidates);
    else if (!missing_)
      missing_ = missing_library(needed, of, by);
  }
}

void LinkCheck::note_clash(const Library& served, const std::string& by,
                           const std::vector<fs::path>& candidates) {
  std::error_code failed;
  if (candidates.empty() || fs::equivalent(candidates.front(), served.path, failed) || failed)
    return;
  std::error_code unresolved;
  const fs::path loaded = fs::weakly_canonical(already_loaded(served.name), unresolved);
  clashes_.push_back({.name = served.name,
                      .by = by,
                      .wanted = candidates.front(),
                      .served = served.path,
                      .by_host = !loaded.empty() && fs::equivalent(loaded, served.path, failed)});
}

std::vector<LinkCheck::Found> LinkCheck::libraries() const {
  std::vector<Found> found;
  for (const Library& library : libraries_) found.push_back({library.name, library.path});
  return found;
}

bool LinkCheck::add(std::string name, std::vector<fs::path> candidates) {
  if (fs::path loaded = already_loaded(name); !loaded.empty())
    candidates.insert(candidates.begin(), std::move(loaded));
  for (const fs::path& path : candidates) {
    Library& library = libraries_.emplace_back();
    library.name = std::move(name);
    library.path = path;
    library.bytes = file_bytes(path, library_bytes_max);
    if (const auto image = ElfImage::parse(library.bytes)) {
      if (auto dynamic = ElfDynamic::parse(*image)) {
        library.dynamic = *std::move(dynamic);
        return true;
      }
    }
    name = std::move(library.name);
    libraries_.pop_back();
  }
  return false;
}

PluginError LinkCheck::missing_library(std::string_view needed, const ElfDynamic& of,
                                       const std::string& by) const {
  const bool beside_plugin = &of == &plugin_ && !folder_.empty() &&
                             !search_.candidates(needed, of.runpath, folder_).empty();
  return *fault_of(PluginFault::missing_dependency,
                   fmt::format("{} needs {}, which is not on this machine", by, in_quotes(needed)),
                   beside_plugin
                       ? "it was found through $ORIGIN, which does not work for plugins: they are "
                         "loaded from a private copy. Install the library, or link it statically"
                       : "install the package it comes from, or link it statically");
}

std::optional<PluginError> LinkCheck::fault() const {
  if (missing_) return missing_;
  if (auto fault = missing_version(plugin_, "it")) return fault;
  if (auto fault = undefined_symbol(plugin_, "it")) return fault;
  for (const Library& library : libraries_) {
    const std::string path = library.path.string();
    if (auto fault = missing_version(library.dynamic, path)) return fault;
    if (auto fault = undefined_symbol(library.dynamic, path)) return fault;
  }
  return std::nullopt;
}

std::optional<PluginError> LinkCheck::missing_version(const ElfDynamic& of,
                                                      const std::string& by) const {
  for (const ElfDynamic::VersionNeed& need : of.version_needs) {
    const auto library = std::ranges::find(libraries_, need.library, &Library::name);
    // The loader does not check the versions of a library that defines none.
    if (need.weak || library == libraries_.end() || library->dynamic.versions_defined.empty())
      continue;
    if (std::ranges::find(library->dynamic.versions_defined, need.version) ==
        library->dynamic.versions_defined.end())
      return fault_of(
          PluginFault::missing_dependency,
          fmt::format("{} needs version {} of {}, which {} does not have", by,
                      in_quotes(need.version), in_quotes(need.library), library->path.string()),
          "it was built against a newer library: build it on this machine's system or an older "
          "one");
  }
  return std::nullopt;
}

std::optional<PluginError> LinkCheck::undefined_symbol(const ElfDynamic& of,
                                                       const std::string& by) const {
  for (const ElfDynamic::Symbol& symbol : of.symbols)
    if (!symbol.defined && !symbol.weak && !defined_by_host(symbol.name) &&
        plugin_.definition(symbol.name) == nullptr && definer(symbol.name).empty())
      return fault_of(PluginFault::undefined_symbol,
                      fmt::format("{} uses {}, which none of its libraries defines", by,
                                  in_quotes(symbol.name)),
                      "link the library that defines it; -Wl,-z,defs finds such at build time");
  return std::nullopt;
}

std::string LinkCheck::definer(std::string_view symbol) const {
  const auto found = std::ranges::find_if(libraries_, [&](const Library& library) {
    return library.dynamic.definition(symbol) != nullptr;
  });
  return found == libraries_.end() ? "" : found->path.string();
}

}  // namespace weir
