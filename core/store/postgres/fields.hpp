#pragma once
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "store/postgres/literal.hpp"

namespace weir::postgres {

template <class Value>
constexpr bool is_optional = false;
template <class Value>
constexpr bool is_optional<std::optional<Value>> = true;

/// How an expression is selected so that read() gets a value of this type from it: a time as
/// microseconds since 1970, clamped to the years 1 to 9999 (PostgreSQL has more, and infinite
/// ones); an array of texts as JSON; an array of numbers as a text with blanks.
template <class Value>
constexpr Text selected(std::string_view sql) {
  if constexpr (is_optional<Value>)
    return selected<typename Value::value_type>(sql);
  else if constexpr (std::same_as<Value, Time>)
    return Text("(extract(epoch from case when ") + sql +
           " < '0001-01-01 00:00+00' then '0001-01-01 00:00+00' when " + sql +
           " > '9999-12-31 00:00+00' then '9999-12-31 00:00+00' else " + sql +
           " end) * 1000000)::bigint";
  else if constexpr (std::same_as<Value, std::vector<std::string>>)
    return Text("array_to_json(") + sql + ")";
  else if constexpr (requires { requires std::integral<typename Value::value_type>; } &&
                     !std::same_as<Value, std::string>)
    return Text("array_to_string(") + sql + ", ' ')";
  else
    return Text(sql);
}

inline void read(const pqxx::field& field, Time& value) {
  if (!field.is_null()) value = Time{Duration{field.as<std::int64_t>()}};
}

inline void read(const pqxx::field& field, std::chrono::milliseconds& value) {
  if (!field.is_null()) value = std::chrono::milliseconds(field.as<std::int64_t>());
}

inline void read(const pqxx::field& field, Json& value) {
  if (!field.is_null()) value = Json::trusted(field.as<std::string>());
}

template <class Value>
  requires std::is_arithmetic_v<Value> || std::same_as<Value, std::string>
void read(const pqxx::field& field, Value& value) {
  if (!field.is_null()) value = field.as<Value>();
}

/// An enumeration that is stored by its numbers.
template <class Value>
  requires std::is_enum_v<Value>
void read(const pqxx::field& field, Value& value) {
  if (!field.is_null()) value = static_cast<Value>(field.as<std::underlying_type_t<Value>>());
}

/// None of the texts may be NULL.
inline void read(const pqxx::field& field, std::vector<std::string>& value) {
  if (field.is_null()) return;
  value.clear();
  for (const Json& text : Json::trusted(field.as<std::string>()).elements())
    value.push_back(text.decoded());
}

template <std::integral Number>
void read(const pqxx::field& field, std::vector<Number>& value) {
  if (field.is_null()) return;
  std::istringstream words(field.as<std::string>());
  value.clear();
  for (Number number{}; words >> number;) value.push_back(number);
}

template <class Value>
void read(const pqxx::field& field, std::optional<Value>& value) {
  if (!field.is_null()) read(field, value.emplace());
}

/// The value of a query that returns one row with one column.
template <class Value>
Result<Value> value_of(const Result<pqxx::result>& rows) {
  if (!rows) return std::unexpected(rows.error());
  Value value{};
  read((*rows)[0][0], value);
  return value;
}

/// Success, whatever the query returned.
inline Result<void> done(const Result<pqxx::result>& rows) {
  if (!rows) return std::unexpected(rows.error());
  return {};
}

}  // namespace weir::postgres
