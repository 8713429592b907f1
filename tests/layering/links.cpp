#include "links.hpp"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <cxxabi.h>

namespace weir {
namespace {

std::string demangled(const std::string& symbol) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), std::free);
  return status == 0 ? text.get() : symbol;
}

}  // namespace

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (!pipe) throw std::runtime_error(command);
  std::string text;
  for (int c = std::fgetc(pipe.get()); c != EOF; c = std::fgetc(pipe.get()))
    text += static_cast<char>(c);
  return text;
}

std::vector<LinkedSymbol> symbols_of(const std::string& layer,
                                     const std::filesystem::path& archive) {
  std::vector<LinkedSymbol> symbols;
  // POSIX: "name kind value size", external symbols alone; "U" and "w" are needed ones.
  std::istringstream lines(output_of("nm -g -P '" + archive.string() + "' 2>&1"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::string kind;
    if (words >> name >> kind && kind.size() == 1 && name.starts_with("_Z"))
      symbols.push_back({.layer = layer, .name = name, .defined = kind != "U" && kind != "w"});
  }
  if (symbols.empty()) throw std::runtime_error("nm tells nothing of " + archive.string());
  return symbols;
}

std::string link_violations(const Layers& layers, const std::vector<LinkedSymbol>& symbols) {
  std::map<std::string, std::set<std::string>> definers;  // by symbol
  for (const LinkedSymbol& symbol : symbols)
    if (symbol.defined) definers[symbol.name].insert(symbol.layer);
  std::map<std::pair<std::string, std::string>, std::string> found;  // the first of each pair
  for (const LinkedSymbol& symbol : symbols) {
    const auto where = definers.find(symbol.name);
    if (symbol.defined || where == definers.end()) continue;
    bool allowed = false;
    for (const std::string& layer : where->second)
      allowed = allowed || layers.may_include(symbol.layer, layer);
    if (!allowed) found.emplace(std::pair(symbol.layer, *where->second.begin()), symbol.name);
  }
  std::string text;
  for (const auto& [pair, symbol] : found)
    text += pair.first + ": " + demangled(symbol) + ": " + pair.first + " does not stand on " +
            pair.second + "\n";
  return text;
}

std::vector<std::string> needed_by(const std::filesystem::path& file) {
  std::vector<std::string> needed;
  std::istringstream lines(output_of("readelf -d '" + file.string() + "' 2>&1"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find("Shared library: [");
    if (begin == std::string::npos) continue;
    const std::size_t name = line.find('[', begin) + 1;
    needed.push_back(line.substr(name, line.find(']', name) - name));
  }
  if (needed.empty()) throw std::runtime_error("readelf tells nothing of " + file.string());
  return needed;
}

std::string needed_violations(const Layers& layers, const std::string& layer,
                              const std::vector<std::string>& needed) {
  const std::set<std::string> allowed = layers.linked_libraries(layer);
  std::string text;
  for (const std::string& object : needed)
    if (const auto library = layers.library_of_object(object);
        library && !allowed.contains(*library))
      text += object + ": nothing that " + layer + " stands on uses " + *library + "\n";
  return text;
}

}  // namespace weir
