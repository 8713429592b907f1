#include "layers.hpp"

#include <array>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace weir {
namespace {

bool is_library(std::string_view name) { return name.starts_with('['); }
bool is_product(std::string_view name) { return name.starts_with('<'); }

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

struct Line {
  std::string name;
  std::array<std::vector<std::string>, 3> fields;
};

Line parsed(const std::string& line) {
  const std::size_t colon = line.find(": ");
  const std::size_t end =
      colon == std::string::npos && line.ends_with(':') ? line.size() - 1 : colon;
  if (end == std::string::npos) throw std::runtime_error("layers.txt: " + line);
  Line parsed{.name = line.substr(0, end), .fields = {}};
  std::istringstream fields(line.substr(end + 1));
  std::size_t count = 0;
  for (std::string field; std::getline(fields, field, '|'); ++count) {
    if (count == parsed.fields.size()) throw std::runtime_error("layers.txt: " + line);
    parsed.fields.at(count) = words(field);
  }
  return parsed;
}

std::optional<std::string> owner(const std::vector<std::pair<std::string, std::string>>& prefixes,
                                 std::string_view of) {
  for (const auto& [prefix, name] : prefixes)
    if (of.starts_with(prefix)) return name;
  return std::nullopt;
}

}  // namespace

Layers Layers::parse(std::string_view text) {
  Layers layers;
  std::set<std::string> known;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto [name, fields] = parsed(line);
    if (!known.insert(name).second) throw std::runtime_error("layers.txt: " + line);
    if (is_library(name)) {
      for (const std::string& header : fields[1])
        layers.headers_of_libraries_.emplace_back(header, name);
      for (const std::string& object : fields[2])
        layers.objects_of_libraries_.emplace_back(object, name);
      continue;
    }
    std::set<std::string> below = {name};
    for (const std::string& used : fields[0]) {
      if (used == name || !known.contains(used))
        throw std::runtime_error("layers.txt: " + line + ": no " + used + " above this line");
      if (is_library(used))
        layers.own_libraries_[name].insert(used);
      else
        below.insert(layers.below_.at(used).begin(), layers.below_.at(used).end());
    }
    layers.below_.emplace(name, std::move(below));
    for (const std::string& header : fields[1])
      layers.headers_of_products_.emplace_back(header, name);
  }
  return layers;
}

std::vector<std::string> Layers::layers() const {
  std::vector<std::string> names;
  for (const auto& [name, below] : below_)
    if (!is_product(name)) names.push_back(name);
  return names;
}

std::set<std::string> Layers::linked_libraries(const std::string& layer) const {
  std::set<std::string> all;
  for (const std::string& name : below_.at(layer))
    if (const auto own = own_libraries_.find(name); own != own_libraries_.end())
      all.insert(own->second.begin(), own->second.end());
  return all;
}

std::optional<std::string> Layers::product_of(std::string_view header) const {
  return owner(headers_of_products_, header);
}

std::optional<std::string> Layers::library_of_header(std::string_view header) const {
  return owner(headers_of_libraries_, header);
}

std::optional<std::string> Layers::library_of_object(std::string_view shared_object) const {
  return owner(objects_of_libraries_, shared_object);
}

}  // namespace weir
