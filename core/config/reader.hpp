#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "base/error.hpp"
#include "base/source_text.hpp"

namespace weir {

/// Reads parsed YAML and keeps every fault with its place. One reader per document.
class Reader {
 public:
  explicit Reader(const SourceText& source) : source_(source) {}

  void fault(TextSpan where, std::string_view kind, std::string_view message);

  /// A fault about a key's value: "slots: expected 1 to 1024, got 0".
  void refuse(std::string_view kind, std::string_view key, const YAML::Node& value,
              std::string_view expected);

  /// The scalar in `value`; nullptr, and a fault, when it is something else.
  const std::string* scalar(std::string_view key, const YAML::Node& value,
                            std::string_view expected);

  /// The place of a node in the text; of an empty node, the place of the last entry().
  TextSpan span(const YAML::Node& node) const;

  /// Sets the entry of a mapping that is being read.
  void entry(const YAML::Node& key) { entry_ = span(key); }

  /// Takes all faults, in the order of the text, each once.
  Faults take();

 private:
  struct Found {
    TextSpan where;
    Error error;
  };
  const SourceText& source_;
  std::vector<Found> found_;
  TextSpan entry_;
};

/// One key of a mapping, and how its value is read into a T.
template <class T>
struct Key {
  using Read = std::function<void(Reader&, std::string_view key, const YAML::Node&, T&)>;

  Key(std::string called, Read reads, std::vector<std::string> inner = {})
      : name(std::move(called)), read(std::move(reads)), below(std::move(inner)) {}

  std::string name;
  Read read;
  std::vector<std::string> below;  ///< paths of the keys inside, when the value is a mapping itself
};
template <class T>
using Keys = std::vector<Key<T>>;

/// Every path of a table: each path inside a section begins with the section's name.
template <class T>
std::vector<std::string> paths(const Keys<T>& keys) {
  std::vector<std::string> all;
  for (const Key<T>& key : keys) {
    if (key.below.empty()) all.push_back(key.name);
    for (const std::string& inner : key.below) all.push_back(key.name + "." + inner);
  }
  return all;
}

/// The paths of a mapping with any key whose values have these: "*.retries".
inline std::vector<std::string> paths_of_any(const std::vector<std::string>& below) {
  std::vector<std::string> all;
  for (const std::string& path : below) all.push_back("*." + path);
  return all;
}

/// Calls `entry(name, key node, value)` for every entry of a mapping. Faults: keys that are not
/// text, keys given twice (`fold` decides which count as the same), a value that is not a mapping.
/// An empty value counts as an empty mapping, so that every line below a section can be commented
/// out.
void each_entry(
    Reader& reader, std::string_view section, const YAML::Node& mapping,
    const std::function<std::string(std::string_view)>& fold,
    const std::function<void(const std::string&, const YAML::Node&, const YAML::Node&)>& entry);

void unknown_key(Reader& reader, std::string_view section, const YAML::Node& key,
                 const std::vector<std::string>& known);

/// Reads a mapping by its table of keys.
template <class T>
void read_mapping(Reader& reader, std::string_view section, const YAML::Node& mapping,
                  const Keys<T>& keys, T& into) {
  const auto as_written = [](std::string_view name) { return std::string(name); };
  each_entry(reader, section, mapping, as_written,
             [&](const std::string& name, const YAML::Node& key, const YAML::Node& value) {
               if (const auto known = std::ranges::find(keys, name, &Key<T>::name);
                   known != keys.end())
                 return known->read(reader, name, value, into);
               std::vector<std::string> names;
               for (const Key<T>& each : keys) names.push_back(each.name);
               unknown_key(reader, section, key, names);
             });
}

/// Parses the text of a document; a null node, and faults, when it is not YAML. Catches yaml-cpp's
/// exceptions.
YAML::Node parse_yaml(Reader& reader, std::string_view text);

}  // namespace weir
