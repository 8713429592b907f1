#include "plugin/plugin_warnings.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "plugin/elf_dynamic.hpp"
#include "plugin/elf_image.hpp"
#include "plugin/link_check.hpp"
#include "plugin/unload_hazard.hpp"

namespace weir {
namespace {

constexpr std::string_view clash_hint =
    "one file serves a name for the whole process, the first that was loaded: let all use the same "
    "file, or link the library statically";

// One entry of each array is the compiler's own. The runtime of a language adds more, in C++ for
// every object file that includes a standard header, say, which cannot be distinguished from a
// function of the author; so a library that needs such a runtime is not reported.
bool has_constructors(const ElfDynamic& library) {
  const bool runtime = std::ranges::any_of(library.needed, [](std::string_view name) {
    return name.starts_with("libstdc++.so") || name.starts_with("libc++.so") ||
           name.starts_with("libgcc_s.so");
  });
  return !runtime && library.constructors > 1;
}

std::vector<PluginWarning> own_warnings(const ElfImage& image, const ElfDynamic& library) {
  std::vector<PluginWarning> warnings;
  const auto warn = [&](std::string_view kind, std::string detail, std::string_view hint) {
    warnings.push_back({std::string(kind), std::move(detail), std::string(hint)});
  };
  for (const UnloadHazard& hazard : unload_hazards(library))
    warn(hazard.kind, hazard.detail, hazard.hint);
  if (has_constructors(library))
    warn("constructors",
         fmt::format("{} constructors run as it is loaded, and everything waits for them",
                     library.constructors - 1),
         "open what is expensive in a step, as a resource");
  if (library.destructors > 1)
    warn("destructors",
         fmt::format("{} destructors run as it is unloaded, on another thread than its steps",
                     library.destructors - 1),
         "close what was opened where it was opened, or make it a resource");
  if (library.runpath.contains("$ORIGIN") || library.runpath.contains("${ORIGIN}"))
    warn("origin_runpath",
         fmt::format("its RUNPATH {} means another folder when it is loaded, which is done from a "
                     "private copy",
                     library.runpath),
         "install the libraries it needs, link them statically, or name an absolute folder");
  if (!library.binds_now)
    warn("lazy_binding",
         "it is linked without -z now: a missing symbol is noticed only when it is called",
         "link it with -Wl,-z,now; weir_add_plugin does");
  if (image.executable_stack())
    warn("executable_stack", "loading it makes the stacks of all threads executable",
         "link it with -Wl,-z,noexecstack, and let assembler files have a .note.GNU-stack section");
  return warnings;
}

}  // namespace

std::vector<PluginWarning> PluginWarnings::add(const TrustedFile& plugin) {
  const auto image = ElfImage::parse(plugin.bytes);
  if (!image) return {};
  const auto library = ElfDynamic::parse(*image);
  if (!library) return {};
  std::vector<PluginWarning> warnings = own_warnings(*image, *library);
  const auto clash = [&](std::string detail) {
    warnings.push_back({"soname_clash", std::move(detail), std::string(clash_hint)});
  };
  const LinkCheck check(*library, plugin.path.parent_path());
  for (const LinkCheck::Clash& each : check.clashes())
    clash(fmt::format("{} wants {}, but {} {} as {}", each.by, each.wanted.string(),
                      each.by_host ? "this program has" : "another of its libraries brings",
                      each.served.string(), each.name));
  for (const LinkCheck::Found& found : check.libraries()) {
    const auto [known, first] =
        libraries_.try_emplace(found.name, FirstUse{found.path, plugin.path.string()});
    std::error_code failed;
    if (!first && !std::filesystem::equivalent(known->second.library, found.path, failed) &&
        !failed)
      clash(fmt::format("it brings {} as {}, and {} brings {}", found.path.string(), found.name,
                        known->second.plugin, known->second.library.string()));
  }
  return warnings;
}

}  // namespace weir
