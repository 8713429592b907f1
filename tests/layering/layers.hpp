#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace weir {

/// core/layers.txt: each layer with all it may include, itself and what stands further below among
/// it.
class Layers {
 public:
  /// Lines "layer: layer layer"; '#' begins a comment line. Each layer stands below the line that
  /// names it, so there can be no circle. Throws std::runtime_error naming the line that breaks
  /// this.
  static Layers parse(std::string_view text);

  bool knows(const std::string& layer) const { return below_.contains(layer); }
  bool may_include(const std::string& layer, const std::string& other) const {
    return knows(layer) && below_.at(layer).contains(other);
  }

 private:
  std::map<std::string, std::set<std::string>> below_;
};

}  // namespace weir
