#include "definition/object_reader.hpp"

#include <algorithm>
#include <cmath>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/json.hpp"
#include "base/nearest.hpp"
#include "definition/json_view.hpp"

namespace weir {

namespace bj = boost::json;

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::string_view described(const bj::value& value) {
  switch (value.kind()) {
    case bj::kind::null:
      return described(JsonType::null);
    case bj::kind::bool_:
      return described(JsonType::boolean);
    case bj::kind::int64:
    case bj::kind::uint64:
    case bj::kind::double_:
      return described(JsonType::number);
    case bj::kind::string:
      return described(JsonType::string);
    case bj::kind::array:
      return described(JsonType::array);
    case bj::kind::object:
      return described(JsonType::object);
  }
  return "nothing";
}

const bj::value* ObjectReader::member(std::string_view key, Presence presence) {
  known_.emplace_back(key);
  const bj::value* value = object_->if_contains(bj::string_view(key.data(), key.size()));
  if (value == nullptr && presence == required)
    fault(place(), fmt::format("\"{}\" is missing", key));
  return value;
}

std::optional<std::string> ObjectReader::string(std::string_view key, Presence presence) {
  const bj::value* value = member(key, presence);
  if (value == nullptr) return std::nullopt;
  if (const bj::string* text = value->if_string()) return std::string(view_of(*text));
  wrong_type(at(key), "a string", *value);
  return std::nullopt;
}

std::string ObjectReader::line(std::string_view key, Presence presence, std::size_t bytes_max) {
  const std::optional<std::string> text = string(key, presence);
  if (!text) return {};
  if (text->empty() && presence == required)
    fault(at(key), "is empty");
  else if (text->size() > bytes_max)
    fault(at(key), fmt::format("is {} bytes long", text->size()),
          fmt::format("at most {} are allowed", bytes_max));
  else if (std::ranges::any_of(*text, is_control))
    fault(at(key), fmt::format("{} has control characters", in_quotes(*text)),
          "give one line of plain text");
  return *text;
}

std::optional<std::int64_t> ObjectReader::whole_number(std::string_view key, Presence presence) {
  constexpr double exact_max = 9007199254740992;  // 2^53: beyond it a double skips whole numbers
  const bj::value* value = member(key, presence);
  if (value == nullptr) return std::nullopt;
  if (const std::int64_t* number = value->if_int64()) return *number;
  if (const double* number = value->if_double()) {
    const bool whole = std::trunc(*number) == *number;
    if (whole && std::abs(*number) <= exact_max) return static_cast<std::int64_t>(*number);
    fault(at(key), whole ? fmt::format("{} is too large", *number)
                         : fmt::format("expected a whole number, got {}", *number));
  } else if (const std::uint64_t* large = value->if_uint64()) {
    fault(at(key), fmt::format("{} is too large", *large));
  } else {
    wrong_type(at(key), "a whole number", *value);
  }
  return std::nullopt;
}

std::vector<ObjectReader> ObjectReader::objects(std::string_view key, std::size_t count_min,
                                                std::size_t count_max) {
  std::vector<ObjectReader> readers;
  const bj::array* elements = array(key, required);
  if (elements == nullptr) return readers;
  if (elements->size() < count_min || elements->size() > count_max) {
    fault(at(key), fmt::format("has {} elements", elements->size()),
          fmt::format("{} to {} are allowed", count_min, count_max));
    return readers;
  }
  for (std::size_t i = 0; i < elements->size(); ++i) {
    std::string pointer = fmt::format("{}/{}", at(key), i);
    if (const bj::object* object = (*elements)[i].if_object())
      readers.emplace_back(*object, std::move(pointer), *faults_);
    else
      wrong_type(pointer, "an object", (*elements)[i]);
  }
  return readers;
}

std::vector<std::string> ObjectReader::strings(std::string_view key) {
  std::vector<std::string> found;
  const bj::array* elements = array(key, optional);
  for (std::size_t i = 0; elements != nullptr && i < elements->size(); ++i) {
    if (const bj::string* text = (*elements)[i].if_string())
      found.emplace_back(view_of(*text));
    else
      wrong_type(fmt::format("{}/{}", at(key), i), "a string", (*elements)[i]);
  }
  return found;
}

void ObjectReader::refuse_unknown_keys() {
  for (const auto& [key, value] : *object_) {
    if (faults_->full()) return;
    const std::string_view word = view_of(key);
    if (std::ranges::find(known_, word) == known_.end())
      fault(
          place(), fmt::format("unknown key {}", in_quotes(word)),
          did_you_mean(word, known_, fmt::format("the keys here are {}", fmt::join(known_, ", "))));
  }
}

std::string ObjectReader::at(std::string_view key) const {
  return fmt::format("{}/{}", pointer_, key);
}

void ObjectReader::fault(const std::string& place, std::string_view what, std::string hint) {
  faults_->add("bad_manifest", fmt::format("{}: {}", place, what), std::move(hint));
}

const bj::array* ObjectReader::array(std::string_view key, Presence presence) {
  const bj::value* value = member(key, presence);
  if (value == nullptr) return nullptr;
  if (const bj::array* elements = value->if_array()) return elements;
  wrong_type(at(key), "an array", *value);
  return nullptr;
}

void ObjectReader::wrong_type(const std::string& place, std::string_view wanted,
                              const bj::value& got) {
  fault(place, fmt::format("expected {}, got {}", wanted, described(got)));
}

}  // namespace weir
