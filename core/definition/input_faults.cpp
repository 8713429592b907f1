#include "definition/input_faults.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/json_pointer.hpp"
#include "definition/json_view.hpp"
#include "definition/object_reader.hpp"

namespace weir {
namespace {

namespace bj = boost::json;

constexpr std::size_t faults_max = 100;
constexpr std::array<std::string_view, 7> type_names = {"null",   "boolean", "integer", "number",
                                                        "string", "array",   "object"};
constexpr std::array<std::string_view, 8> notes = {
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "definitions"};

// Has the bits for every 64-bit integer and every double.
using Number = long double;
static_assert(std::numeric_limits<Number>::digits >= 64);

std::optional<Number> number(const bj::value* value) {
  if (value == nullptr) return std::nullopt;
  if (const auto* whole = value->if_int64()) return static_cast<Number>(*whole);
  if (const auto* large = value->if_uint64()) return static_cast<Number>(*large);
  if (const auto* real = value->if_double()) return static_cast<Number>(*real);
  return std::nullopt;
}

std::string text(const bj::value& value) {
  if (const auto* real = value.if_double()) return fmt::format("{}", *real);
  return bj::serialize(value);
}

bool equal(const bj::value& a, const bj::value& b) {
  if (a.is_number() && b.is_number()) return number(&a) == number(&b);
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), equal);
  if (!a.is_object() || !b.is_object()) return a == b;
  const bj::object& other = b.get_object();
  return a.get_object().size() == other.size() &&
         std::ranges::all_of(a.get_object(), [&](const auto& member) {
           const bj::value* same = other.if_contains(member.key());
           return same != nullptr && equal(member.value(), *same);
         });
}

const bj::array* array(const bj::value* value) {
  return value == nullptr ? nullptr : value->if_array();
}

// The names of a `type`; empty when it has the wrong form.
std::vector<std::string_view> types(const bj::value* rule) {
  std::vector<std::string_view> names;
  const auto add = [&](const bj::value& name) {
    names.push_back(name.is_string() ? view_of(name.get_string()) : "");
  };
  if (rule != nullptr && rule->is_string()) add(*rule);
  if (const bj::array* several = array(rule)) std::ranges::for_each(*several, add);
  const auto known = [](std::string_view name) {
    return std::ranges::find(type_names, name) != type_names.end();
  };
  return std::ranges::all_of(names, known) ? names : std::vector<std::string_view>();
}

bool is_of_type(const bj::value& value, std::string_view name) {
  if (name == "null") return value.is_null();
  if (name == "boolean") return value.is_bool();
  if (name == "number") return value.is_number();
  if (name == "string") return value.is_string();
  if (name == "array") return value.is_array();
  if (name == "object") return value.is_object();
  const auto found = number(&value);
  return found && std::trunc(*found) == *found;  // 1.0 is an integer
}

std::string type_words(std::string_view name) {
  if (name == "null") return "null";
  const bool vowel = name == "integer" || name == "array" || name == "object";
  return fmt::format("{} {}", vowel ? "an" : "a", name);
}

// A value in the input.
struct Place {
  const Place* outside = nullptr;
  std::string_view name = {};  // of a member
  std::size_t index = 0;       // of an element
  bool is_member = false;

  std::string pointer() const {
    if (outside == nullptr) return {};
    return outside->pointer() + (is_member ? pointer_token(name) : fmt::format("/{}", index));
  }
};

class Checker {
 public:
  std::vector<std::string> take() { return std::move(faults_); }

  void check(const bj::value& schema, const bj::value& value, const Place& place) {
    if (schema.is_bool() && !schema.get_bool()) return fault(place, "no value is allowed");
    const bj::object* const rules = schema.if_object();
    if (rules == nullptr || rules->contains("$ref")) return;
    check_value(*rules, value, place);
    if (value.is_object()) check_object(*rules, value.get_object(), place);
    if (value.is_array()) check_array(*rules, value.get_array(), place);
    if (value.is_string()) {
      const auto characters = std::ranges::count_if(view_of(value.get_string()), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
      });
      check_size(*rules, "Length", "character", static_cast<std::size_t>(characters), place);
    }
    if (value.is_number()) check_number(*rules, *number(&value), place);
    if (const bj::array* const each_of = array(rules->if_contains("allOf")))
      for (const bj::value& each : *each_of) check(each, value, place);
    if (const bj::array* const any = array(rules->if_contains("anyOf")))
      check_any(*any, value, place);
  }

 private:
  bool full() const { return faults_.size() >= faults_max; }

  void fault(const Place& place, std::string_view words) {
    const std::string pointer = place.pointer();
    faults_.push_back(fmt::format("{}: {}", pointer.empty() ? "the input" : pointer, words));
  }

  void check_value(const bj::object& rules, const bj::value& value, const Place& place) {
    const auto names = types(rules.if_contains("type"));
    if (!names.empty() &&
        std::ranges::none_of(names, [&](auto name) { return is_of_type(value, name); })) {
      std::string expected;
      for (const std::string_view name : names)
        expected += (expected.empty() ? "" : " or ") + type_words(name);
      const bool fraction = value.is_number() && std::ranges::find(names, "integer") != names.end();
      fault(place, fmt::format("expected {}, got {}", expected,
                               fraction ? "a fraction" : described(value)));
    }
    if (const bj::value* const only = rules.if_contains("const"); only && !equal(*only, value))
      fault(place, "is not the value that is allowed");
    if (const bj::array* const several = array(rules.if_contains("enum"));
        several && std::ranges::none_of(*several, [&](const auto& e) { return equal(e, value); }))
      fault(place, "is none of the values that are allowed");
  }

  void check_object(const bj::object& rules, const bj::object& object, const Place& place) {
    if (const bj::array* const required = array(rules.if_contains("required")))
      for (const bj::value& name : *required)
        if (name.is_string() && !object.contains(name.get_string()))
          fault(place, fmt::format("\"{}\" is missing", view_of(name.get_string())));
    const bj::value* const given = rules.if_contains("properties");
    const bj::object* const properties = given == nullptr ? nullptr : given->if_object();
    const bj::value* const others =
        rules.contains("patternProperties") ? nullptr : rules.if_contains("additionalProperties");
    for (const auto& member : object) {
      if (full()) break;
      const bj::value* const own =
          properties == nullptr ? nullptr : properties->if_contains(member.key());
      const Place inside{.outside = &place, .name = view_of(member.key()), .is_member = true};
      if (own != nullptr)
        check(*own, member.value(), inside);
      else if (others != nullptr && others->is_bool() && !others->get_bool())
        fault(place, fmt::format("\"{}\" is not allowed", view_of(member.key())));
      else if (others != nullptr)
        check(*others, member.value(), inside);
    }
    check_size(rules, "Properties", "member", object.size(), place);
  }

  void check_array(const bj::object& rules, const bj::array& elements, const Place& place) {
    const bj::value* const items = rules.if_contains("items");
    const bj::array* const first = array(items);
    const bj::value* others = first == nullptr ? items : rules.if_contains("additionalItems");
    if (first != nullptr && others != nullptr && others->is_bool() && !others->get_bool()) {
      if (elements.size() > first->size())
        fault(place,
              fmt::format("has {} elements, expected at most {}", elements.size(), first->size()));
      others = nullptr;
    }
    for (std::size_t i = 0; items != nullptr && i < elements.size() && !full(); ++i) {
      const bj::value* const own = first != nullptr && i < first->size() ? &(*first)[i] : others;
      if (own != nullptr) check(*own, elements[i], Place{.outside = &place, .index = i});
    }
    check_size(rules, "Items", "element", elements.size(), place);
  }

  void check_size(const bj::object& rules, std::string_view keyword, std::string_view noun,
                  std::size_t size, const Place& place) {
    const auto bound = [&](std::string_view which, std::string_view words, auto is_kept) {
      const bj::value* const rule = rules.if_contains(fmt::format("{}{}", which, keyword));
      const auto limit = number(rule);
      if (limit && !is_kept(static_cast<Number>(size), *limit))
        fault(place, fmt::format("has {} {}{}, expected {} {}", size, noun, size == 1 ? "" : "s",
                                 words, text(*rule)));
    };
    bound("min", "at least", std::greater_equal<Number>());
    bound("max", "at most", std::less_equal<Number>());
  }

  void check_number(const bj::object& rules, Number value, const Place& place) {
    const auto bound = [&](std::string_view keyword, std::string_view words, auto is_kept) {
      const bj::value* const rule = rules.if_contains(keyword);
      const auto limit = number(rule);
      if (limit && !is_kept(value, *limit))
        fault(place, fmt::format("expected {} {}", words, text(*rule)));
    };
    bound("minimum", "at least", std::greater_equal<Number>());
    bound("maximum", "at most", std::less_equal<Number>());
    bound("exclusiveMinimum", "more than", std::greater<Number>());
    bound("exclusiveMaximum", "less than", std::less<Number>());
  }

  void check_any(const bj::array& any, const bj::value& value, const Place& place) {
    std::vector<std::string> found;
    for (const bj::value& each : any) {
      Checker one;
      one.check(each, value, place);
      if (one.faults_.empty()) return;
      std::ranges::move(one.faults_, std::back_inserter(found));
    }
    std::ranges::move(found, std::back_inserter(faults_));
  }

  std::vector<std::string> faults_;
};

bool are_known(const bj::value& schemas) {
  if (const bj::array* const several = schemas.if_array())
    return std::ranges::all_of(*several, has_known_keywords);
  return schemas.is_object() && std::ranges::all_of(schemas.get_object(), [](const auto& each) {
           return has_known_keywords(each.value());
         });
}

bool is_known(std::string_view keyword, const bj::value& rule) {
  if (std::ranges::find(notes, keyword) != notes.end() || keyword == "const") return true;
  if (keyword == "type") return !types(&rule).empty();
  if (keyword == "enum") return rule.is_array();
  if (keyword == "required")
    return rule.is_array() &&
           std::ranges::all_of(rule.get_array(), [](const auto& name) { return name.is_string(); });
  if (keyword == "properties") return rule.is_object() && are_known(rule);
  if (keyword == "allOf" || keyword == "anyOf") return rule.is_array() && are_known(rule);
  if (keyword == "items" && rule.is_array()) return are_known(rule);
  if (keyword == "items" || keyword == "additionalItems" || keyword == "additionalProperties")
    return has_known_keywords(rule);
  constexpr std::array<std::string_view, 10> limits = {
      "minItems",      "maxItems", "minLength", "maxLength",        "minProperties",
      "maxProperties", "minimum",  "maximum",   "exclusiveMinimum", "exclusiveMaximum"};
  return std::ranges::find(limits, keyword) != limits.end() && rule.is_number();
}

}  // namespace

std::vector<std::string> input_faults(const bj::value& schema, const bj::value& value) {
  Checker checker;
  checker.check(schema, value, {});
  return checker.take();
}

bool has_known_keywords(const bj::value& schema) {
  if (schema.is_bool()) return true;
  return schema.is_object() && std::ranges::all_of(schema.get_object(), [](const auto& each) {
           return is_known(view_of(each.key()), each.value());
         });
}

}  // namespace weir
