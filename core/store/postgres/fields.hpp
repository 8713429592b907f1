#pragma once
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "base/json.hpp"
#include "base/time.hpp"

/// A column of times in the form that time_of() reads.
#define WEIR_MICROSECONDS(time) "(extract(epoch from " time ") * 1000000)::bigint"

namespace weir::postgres {

/// The time in a column of WEIR_MICROSECONDS(…), which counts from 1970.
inline Time time_of(const pqxx::field& field) { return Time{Duration{field.as<std::int64_t>()}}; }

inline std::optional<Time> optional_time(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(time_of(field));
}

inline std::optional<Json> optional_json(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(Json::trusted(field.as<std::string>()));
}

/// A number or a text; nullopt for NULL.
template <class Value>
std::optional<Value> optional_of(const pqxx::field& field) {
  return field.is_null() ? std::nullopt : std::optional(field.as<Value>());
}

/// The texts in a column of array_to_json(…); none of them may be NULL.
inline std::vector<std::string> texts_of(const pqxx::field& field) {
  std::vector<std::string> texts;
  for (const Json& text : Json::trusted(field.as<std::string>()).elements())
    texts.push_back(text.decoded());
  return texts;
}

/// The numbers in a column of array_to_string(…, ' ').
template <class Number>
std::vector<Number> numbers_of(const pqxx::field& field) {
  std::istringstream words(field.as<std::string>());
  std::vector<Number> numbers;
  for (Number number{}; words >> number;) numbers.push_back(number);
  return numbers;
}

}  // namespace weir::postgres
