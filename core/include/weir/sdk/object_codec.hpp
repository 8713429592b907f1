#pragma once
#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/json/value.hpp>

#include <weir/sdk/codec.hpp>
#include <weir/sdk/json_write.hpp>
#include <weir/sdk/members.hpp>
#include <weir/sdk/place.hpp>
#include <weir/sdk/shape.hpp>

namespace weir::sdk {

/// A text that contains the name of T; different for different types.
template <class T>
constexpr std::string_view type_name() {
  return __PRETTY_FUNCTION__;
}

/// A type that WEIR_JSON describes. Members the type does not have are ignored, missing ones are an
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
