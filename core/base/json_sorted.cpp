#include "base/json_sorted.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir {

// The recursion is as deep as the value: at most Json::depth_max.
Json sorted(const Json& value) {
  switch (value.type()) {
    case JsonType::array: {
      std::vector<Json> elements = value.elements();
      for (Json& element : elements) element = sorted(element);
      return Json::array(elements);
    }
    case JsonType::object: {
      std::map<std::string, Json> members;
      for (auto& [key, member] : value.members()) members.insert_or_assign(key, sorted(member));
      return Json::object(
          std::vector<std::pair<std::string, Json>>(members.begin(), members.end()));
    }
    case JsonType::string:
      return Json::string(value.decoded());
    default:
      return value;
  }
}

}  // namespace weir
