#include "bench/engine/options.hpp"

#include <cstdlib>
#include <functional>
#include <map>
#include <string_view>

#include <fmt/core.h>

#include "bench/required.hpp"

namespace weir::bench {

EngineOptions EngineOptions::of(int argc, char** argv) {
  EngineOptions options;
  const std::map<std::string_view, std::size_t*> numbers{
      {"--rounds", &options.rounds}, {"--runs", &options.runs}, {"--samples", &options.samples}};
  const std::map<std::string_view, std::function<void(const char*)>> texts{
      {"--floor", [&](const char* value) { options.floor = value; }},
      {"--only", [&](const char* value) { options.only = value; }},
      {"--json", [&](const char* value) { options.json = value; }},
      {"--peers", [&](const char* value) { options.peers = value; }},
      {"--folder", [&](const char* value) { options.folder = value; }}};
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (!numbers.contains(name) && !texts.contains(name))
      fail(fmt::format("there is no option \"{}\"", name));
    if (i + 1 == argc) fail(fmt::format("{} needs a value", name));
    if (const auto text = texts.find(name); text != texts.end()) {
      text->second(argv[i + 1]);
      continue;
    }
    const std::size_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (number == 0) fail(fmt::format("{} needs a number from 1 on", name));
    *numbers.at(name) = number;
  }
  return options;
}

}  // namespace weir::bench
