#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

/// core/layers.txt: layers, the products that the public headers are, and the libraries from
/// elsewhere, each with what it may use.
class Layers {
 public:
  /// The lines are as the file says of itself; '#' begins a comment line. Each name stands below
  /// the lines of all that it uses, so there can be no circle. Throws std::runtime_error naming the
  /// line that breaks this.
  static Layers parse(std::string_view text);

  bool knows(const std::string& layer) const { return below_.contains(layer); }
  std::vector<std::string> layers() const;

  /// Layer "store" may include layer "run"; so may it product "<client>", and a product another.
  bool may_include(const std::string& name, const std::string& other) const {
    return below_.contains(name) && below_.at(name).contains(other);
  }

  /// A library that its own line names.
  bool may_use(const std::string& name, const std::string& library) const {
    return own_libraries_.contains(name) && own_libraries_.at(name).contains(library);
  }

  /// Of a layer and all that it stands on.
  std::set<std::string> linked_libraries(const std::string& layer) const;

  /// "<client>" for "client/run_report.hpp", as it stands below core/include/weir/.
  std::optional<std::string> product_of(std::string_view header) const;

  /// "[pqxx]" for "pqxx/pqxx".
  std::optional<std::string> library_of_header(std::string_view header) const;

  /// "[pqxx]" for "libpqxx-6.4.so".
  std::optional<std::string> library_of_object(std::string_view shared_object) const;

 private:
  using Prefixes = std::vector<std::pair<std::string, std::string>>;  // and whose they are

  std::map<std::string, std::set<std::string>> below_;          // itself too
  std::map<std::string, std::set<std::string>> own_libraries_;  // by layer and product
  Prefixes headers_of_products_, headers_of_libraries_, objects_of_libraries_;
};

}  // namespace weir
