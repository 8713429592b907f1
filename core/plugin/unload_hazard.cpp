#include "plugin/unload_hazard.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/in_quotes.hpp"

namespace weir {

std::vector<UnloadHazard> unload_hazards(const ElfDynamic& library) {
  std::vector<UnloadHazard> hazards;
  if (library.nodelete)
    hazards.push_back({.kind = "nodelete",
                       .detail = "it is linked with -z nodelete",
                       .hint = "link it without -z nodelete"});
  const auto unique = std::ranges::find_if(
      library.symbols, [](const auto& symbol) { return symbol.defined && symbol.unique; });
  if (unique != library.symbols.end())
    hazards.push_back(
        {.kind = "gnu_unique",
         .detail = fmt::format("its symbol {} is STB_GNU_UNIQUE, one for the whole process",
                               in_quotes(unique->name)),
         .hint = "build it with -fno-gnu-unique, or link it with a version script that makes all "
                 "but weir_plugin_v1 local: weir_add_plugin does both"});
  const auto registers = std::ranges::find_if(library.symbols, [](const auto& symbol) {
    return !symbol.defined && symbol.name.starts_with("__cxa_thread_atexit");
  });
  if (registers != library.symbols.end())
    hazards.push_back({.kind = "thread_locals",
                       .detail = "it has thread-locals with destructors, which keep it until the "
                                 "threads that touched them end",
                       .hint = "give its thread-locals types without destructors"});
  return hazards;
}

std::vector<UnloadHazard> unload_hazards(std::string_view bytes) {
  const auto image = ElfImage::parse(bytes);
  if (!image) return {};
  const auto library = ElfDynamic::parse(*image);
  return library ? unload_hazards(*library) : std::vector<UnloadHazard>();
}

}  // namespace weir
