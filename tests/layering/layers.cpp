#include "layers.hpp"

#include <sstream>
#include <stdexcept>

namespace weir {

Layers Layers::parse(std::string_view text) {
  Layers layers;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const std::string layer = line.substr(0, colon);
    if (colon == std::string::npos || layers.knows(layer))
      throw std::runtime_error("layers.txt: " + line);
    std::set<std::string> below = {layer};
    std::istringstream names(line.substr(colon + 1));
    for (std::string name; names >> name;) {
      if (!layers.knows(name))
        throw std::runtime_error("layers.txt: " + line + ": no " + name + " above this line");
      below.insert(layers.below_.at(name).begin(), layers.below_.at(name).end());
    }
    layers.below_.emplace(layer, std::move(below));
  }
  return layers;
}

}  // namespace weir
