#include "simulation/jsonb.hpp"

#include <map>
#include <string>

namespace weir::simulation {
namespace {

struct KeyOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  }
};

void write(const Json& value, std::string& text) {
  switch (value.type()) {
    case JsonType::array: {
      text += '[';
      bool first = true;
      for (const Json& element : value.elements()) {
        if (!std::exchange(first, false)) text += ", ";
        write(element, text);
      }
      text += ']';
      return;
    }
    case JsonType::object: {
      std::map<std::string, Json, KeyOrder> members;
      for (auto& [key, member] : value.members()) members.insert_or_assign(key, member);
      text += '{';
      bool first = true;
      for (const auto& [key, member] : members) {
        if (!std::exchange(first, false)) text += ", ";
        text += json_quoted(key);
        text += ": ";
        write(member, text);
      }
      text += '}';
      return;
    }
    case JsonType::string:
      text += value.text().contains('\\') ? json_quoted(value.decoded()) : value.text();
      return;
    case JsonType::null:
    case JsonType::boolean:
    case JsonType::number: {
      const std::string_view all = value.text();
      text += all.substr(0, all.find_last_not_of(" \t\r\n") + 1);
      return;
    }
  }
}

}  // namespace

Json as_jsonb(const Json& value) {
  std::string text;
  text.reserve(value.text().size() + 16);
  write(value, text);
  return Json::trusted(std::move(text));
}

}  // namespace weir::simulation
