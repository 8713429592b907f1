#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include <weir/sdk/codec.hpp>
#include <weir/sdk/json_write.hpp>
#include <weir/sdk/place.hpp>
#include <weir/sdk/shape.hpp>

namespace weir::sdk {

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

/// std::map, std::unordered_map and types with the same interface, with std::string keys.
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

}  // namespace weir::sdk
