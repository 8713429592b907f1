#pragma once
#include <array>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <boost/json/value.hpp>

#include <weir/sdk/json_write.hpp>
#include <weir/sdk/members.hpp>
#include <weir/sdk/place.hpp>
#include <weir/sdk/shape.hpp>

namespace weir::sdk {

/// How T stands in JSON: `shape`, `read` (throws json_error), `write`. Types made for writing alone
/// (string views, literals) have no `read`.
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

/// A value's type as it stands in a sentence; null pointer: nothing is there.
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

/// What a shape looks like, likewise.
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
  static constexpr double exact_max =
      9007199254740992;  // 2^53: above it a double stands for several integers
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

template <class T>
struct Codec<std::optional<T>> {
  static constexpr Shape shape{.kind = Shape::Kind::optional, .element = &Codec<T>::shape};
  static std::optional<T> read(const boost::json::value& from, const Place& place)
    requires Readable<T>
  {
    if (from.is_null()) return std::nullopt;
    return Codec<T>::read(from, place);
  }
  static void write(std::string& out, const std::optional<T>& value, const Place& place) {
    if (value)
      Codec<T>::write(out, *value, place);
    else
      out += "null";
  }
};

template <class Range>
void write_elements(std::string& out, const Range& range, const Place& place) {
  std::size_t index = 0;
  for (const auto& element : range) {
    out += index == 0 ? '[' : ',';
    Codec<typename Range::value_type>::write(out, element, place.element(index++));
  }
  out += index == 0 ? "[]" : "]";
}

template <class T, class Allocator>
struct Codec<std::vector<T, Allocator>> {
  static constexpr Shape shape{.kind = Shape::Kind::list, .element = &Codec<T>::shape};
  static std::vector<T, Allocator> read(const boost::json::value& from, const Place& place)
    requires Readable<T>
  {
    const boost::json::array& elements = array_in(from, place);
    std::vector<T, Allocator> made;
    made.reserve(elements.size());
    for (const boost::json::value& element : elements)
      made.push_back(Codec<T>::read(element, place.element(made.size())));
    return made;
  }
  static void write(std::string& out, const std::vector<T, Allocator>& value, const Place& place) {
    write_elements(out, value, place);
  }
};

inline const boost::json::array& array_of(std::size_t size, const boost::json::value& from,
                                          const Place& place) {
  const boost::json::array& elements = array_in(from, place);
  if (elements.size() != size)
    place.refuse("expected an array of " + std::to_string(size) + ", got one of " +
                 std::to_string(elements.size()));
  return elements;
}

template <class T, std::size_t size>
struct Codec<std::array<T, size>> {
  static constexpr Shape shape{
      .kind = Shape::Kind::list, .element = &Codec<T>::shape, .size = size};
  static std::array<T, size> read(const boost::json::value& from, const Place& place)
    requires Readable<T>
  {
    const boost::json::array& elements = array_of(size, from, place);
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return std::array<T, size>{Codec<T>::read(elements[i], place.element(i))...};
    }(std::make_index_sequence<size>());
  }
  static void write(std::string& out, const std::array<T, size>& value, const Place& place) {
    write_elements(out, value, place);
  }
};

/// Pairs and tuples are arrays: ["apple", 3].
template <class Tuple, class... T>
struct TupleCodec {
  static constexpr std::array<ShapeMember, sizeof...(T)> elements{
      ShapeMember{{}, &Codec<T>::shape}...};
  static constexpr Shape shape{.kind = Shape::Kind::tuple, .members = elements};
  static Tuple read(const boost::json::value& from, const Place& place)
    requires(Readable<T> && ...)
  {
    const boost::json::array& values = array_of(sizeof...(T), from, place);
    return [&]<std::size_t... i>(std::index_sequence<i...>) {
      return Tuple{Codec<T>::read(values[i], place.element(i))...};
    }(std::index_sequence_for<T...>());
  }
  static void write(std::string& out, const Tuple& value, const Place& place) {
    out += '[';
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (((i == 0 ? void() : void(out += ',')),
        Codec<T>::write(out, std::get<i>(value), place.element(i))),
       ...);
    }(std::index_sequence_for<T...>());
    out += ']';
  }
};
template <class A, class B>
struct Codec<std::pair<A, B>> : TupleCodec<std::pair<A, B>, A, B> {};
template <class... T>
struct Codec<std::tuple<T...>> : TupleCodec<std::tuple<T...>, T...> {};

/// std::map, std::unordered_map and what looks like them, with std::string keys.
template <class T>
concept Dictionary = std::same_as<typename T::key_type, std::string> &&
                     requires(T map, typename T::mapped_type value) {
                       map.insert_or_assign(std::string(), std::move(value));
                       map.begin();
                     };

template <Dictionary T>
struct Codec<T> {
  using Value = typename T::mapped_type;
  static constexpr Shape shape{.kind = Shape::Kind::dictionary, .element = &Codec<Value>::shape};
  static T read(const boost::json::value& from, const Place& place)
    requires Readable<Value>
  {
    T made;
    for (const auto& [key, value] : object_in(from, place))
      made.insert_or_assign(std::string(key),
                            Codec<Value>::read(value, place.member({key.data(), key.size()})));
    return made;
  }
  static void write(std::string& out, const T& value, const Place& place) {
    char before = '{';
    for (const auto& [key, mapped] : value) {
      out += std::exchange(before, ',');
      write_string(out, key);
      out += ':';
      Codec<Value>::write(out, mapped, place.member(key));
    }
    out += before == '{' ? "{}" : "}";
  }
};

/// The name of T with more around it; different for different types.
template <class T>
constexpr std::string_view type_name() {
  return __PRETTY_FUNCTION__;
}

/// What WEIR_JSON describes. Members the type does not have are passed over, missing ones are an
/// error unless optional.
template <Described T>
struct Codec<T> {
  static constexpr auto members = described_members<T>;
  static constexpr std::array<ShapeMember, std::tuple_size_v<decltype(described_members<T>)>>
      member_shapes = std::apply(
          [](const auto&... member) {
            return std::array<ShapeMember, sizeof...(member)>{ShapeMember{
                member.name,
                &Codec<typename std::remove_cvref_t<decltype(member)>::Value>::shape}...};
          },
          described_members<T>);
  static constexpr Shape shape{
      .kind = Shape::Kind::object, .members = member_shapes, .type = type_name<T>()};

  static T read(const boost::json::value& from, const Place& place) {
    const boost::json::object& object = object_in(from, place);
    T made{};
    std::apply(
        [&](const auto&... member) {
          (read_member(made.*member.pointer, member.name, object, place), ...);
        },
        members);
    return made;
  }
  static void write(std::string& out, const T& value, const Place& place) {
    char before = '{';
    const auto write_member = [&](const auto& member) {
      out += std::exchange(before, ',');
      write_string(out, member.name);
      out += ':';
      Codec<typename std::remove_cvref_t<decltype(member)>::Value>::write(
          out, value.*member.pointer, place.member(member.name));
    };
    std::apply([&](const auto&... member) { (write_member(member), ...); }, members);
    out += before == '{' ? "{}" : "}";
  }

 private:
  template <class Value>
  static void read_member(Value& target, std::string_view name, const boost::json::object& object,
                          const Place& place) {
    static_assert(Readable<Value>,
                  "this member's type can be written as JSON but not read from it");
    const Place here = place.member(name);
    const boost::json::value* found = object.if_contains({name.data(), name.size()});
    if (found != nullptr)
      target = Codec<Value>::read(*found, here);
    else if (Codec<Value>::shape.kind != Shape::Kind::optional)
      expected(described(Codec<Value>::shape), nullptr, here);
  }
};

}  // namespace weir::sdk
