#pragma once
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <boost/json/value.hpp>

#include <weir/sdk/json_write.hpp>
#include <weir/sdk/place.hpp>
#include <weir/sdk/shape.hpp>

namespace weir::sdk {

/// How T is written in JSON: `shape`, `read` (throws json_error), `write`. Types that are only
/// written (string views, literals) have no `read`.
template <class T>
struct Codec;

template <class T>
concept Writable = requires(std::string& out, const T& value, const Place& place) {
  Codec<T>::shape;
  Codec<T>::write(out, value, place);
};
template <class T>
concept Readable = Writable<T> && requires(const boost::json::value& from, const Place& place) {
  { Codec<T>::read(from, place) } -> std::same_as<T>;
};

/// A value's type with its article, for messages; "nothing" for a null pointer.
inline std::string_view described(const boost::json::value* value) {
  if (value == nullptr) return "nothing";
  switch (value->kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "an array";
    case boost::json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

/// A shape in the same words.
constexpr std::string_view described(const Shape& shape) {
  using enum Shape::Kind;
  switch (shape.kind) {
    case any:
    case optional:
      return "a value";
    case null:
      return "null";
    case boolean:
      return "a boolean";
    case integer:
      return "an integer";
    case number:
      return "a number";
    case string:
      return "a string";
    case list:
    case tuple:
      return "an array";
    case dictionary:
    case object:
      return "an object";
  }
  return "a value";
}

[[noreturn]] inline void expected(std::string_view what, const boost::json::value* got,
                                  const Place& place) {
  place.refuse("expected " + std::string(what) + ", got " + std::string(described(got)));
}

inline const boost::json::array& array_in(const boost::json::value& from, const Place& place) {
  if (!from.is_array()) expected("an array", &from, place);
  return from.get_array();
}
inline const boost::json::object& object_in(const boost::json::value& from, const Place& place) {
  if (!from.is_object()) expected("an object", &from, place);
  return from.get_object();
}

template <>
struct Codec<boost::json::value> {
  static constexpr Shape shape{};
  static boost::json::value read(const boost::json::value& from, const Place&) { return from; }
  static void write(std::string& out, const boost::json::value& value, const Place& place) {
    write_value(out, value, place);
  }
};

template <>
struct Codec<std::monostate> {
  static constexpr Shape shape{.kind = Shape::Kind::null};
  static std::monostate read(const boost::json::value& from, const Place& place) {
    if (!from.is_null()) expected("null", &from, place);
    return {};
  }
  static void write(std::string& out, std::monostate, const Place&) { out += "null"; }
};

template <>
struct Codec<bool> {
  static constexpr Shape shape{.kind = Shape::Kind::boolean};
  static bool read(const boost::json::value& from, const Place& place) {
    if (!from.is_bool()) expected("a boolean", &from, place);
    return from.get_bool();
  }
  static void write(std::string& out, bool value, const Place&) { out += value ? "true" : "false"; }
};

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                  !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                  !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

template <Integer T>
struct Codec<T> {
  static constexpr Shape shape{.kind = Shape::Kind::integer};
  static T read(const boost::json::value& from, const Place& place) {
    if (from.is_int64() && std::in_range<T>(from.get_int64()))
      return static_cast<T>(from.get_int64());
    if (from.is_uint64() && std::in_range<T>(from.get_uint64()))
      return static_cast<T>(from.get_uint64());
    if (const double* number = from.if_double();
        number != nullptr && std::trunc(*number) == *number && std::abs(*number) <= exact_max &&
        std::in_range<T>(static_cast<std::int64_t>(*number)))
      return static_cast<T>(*number);  // 3.0 is the integer 3
    const std::string wanted = "an integer from " + std::to_string(std::numeric_limits<T>::min()) +
                               " to " + std::to_string(std::numeric_limits<T>::max());
    if (!from.is_number()) expected(wanted, &from, place);
    std::string got;
    write_value(got, from, place);
    place.refuse("expected " + wanted + ", got " + got);
  }
  static void write(std::string& out, T value, const Place& place) {
    write_number(out, value, place);
  }

 private:
  static constexpr double exact_max = 9007199254740992;  // 2^53: a double beyond it is not exact
};

template <class T>
  requires std::same_as<T, double> || std::same_as<T, float>
struct Codec<T> {
  static constexpr Shape shape{.kind = Shape::Kind::number};
  static T read(const boost::json::value& from, const Place& place) {
    if (!from.is_number()) expected("a number", &from, place);
    const double number = from.is_double()  ? from.get_double()
                          : from.is_int64() ? static_cast<double>(from.get_int64())
                                            : static_cast<double>(from.get_uint64());
    if (std::abs(number) > static_cast<double>(std::numeric_limits<T>::max()))
      place.refuse("expected a number a float can hold");
    return static_cast<T>(number);
  }
  static void write(std::string& out, T value, const Place& place) {
    write_number(out, value, place);
  }
};

template <>
struct Codec<std::string> {
  static constexpr Shape shape{.kind = Shape::Kind::string};
  static std::string read(const boost::json::value& from, const Place& place) {
    if (!from.is_string()) expected("a string", &from, place);
    return {from.get_string().data(), from.get_string().size()};
  }
  static void write(std::string& out, const std::string& value, const Place&) {
    write_string(out, value);
  }
};

template <class T>
  requires(std::convertible_to<const T&, std::string_view> && !std::same_as<T, std::string>)
struct Codec<T> {
  static constexpr Shape shape{.kind = Shape::Kind::string};
  static void write(std::string& out, const T& value, const Place&) { write_string(out, value); }
};

}  // namespace weir::sdk
