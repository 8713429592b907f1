#pragma once
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <weir/sdk/codec.hpp>
#include <weir/sdk/container_codecs.hpp>
#include <weir/sdk/for_each.hpp>
#include <weir/sdk/json_parse.hpp>
#include <weir/sdk/members.hpp>
#include <weir/sdk/object_codec.hpp>

/// Makes an aggregate readable from JSON and writable as a JSON object:
///
///     struct Line { std::string sku; int cents; std::optional<std::string> note; };
///     WEIR_JSON(Line, sku, cents, note)
///
/// Write it in the namespace of the type, after the type. Members may be bool, integers, float,
/// double, std::string, std::optional (absent or null), std::vector, std::array, std::pair,
/// std::tuple, std::map<std::string, T>, other WEIR_JSON types, and boost::json::value for
/// anything. Reading ignores members that the type does not have; a missing one is an error unless
/// it is optional.
#define WEIR_JSON(Type, ...)                                      \
  [[maybe_unused]] consteval auto weir_members(const Type*) {     \
    using weir_type = Type;                                       \
    return ::weir::sdk::member_list<weir_type>(                   \
        WEIR_FOR_EACH(WEIR_JSON_MEMBER, weir_type, __VA_ARGS__)); \
  }
#define WEIR_JSON_MEMBER(type, name) \
  ::weir::sdk::Member { std::string_view(#name), &type::name }

namespace weir {

/// The value of a JSON text or of a parsed value. Exact: 64-bit integers and doubles pass
/// unchanged, an integer that does not fit is an error. Throws json_error.  [any thread]
template <class T, std::same_as<boost::json::value> Value>
T from_json(const Value& value) {
  static_assert(sdk::Readable<T>,
                "this type cannot be read from JSON: describe it with WEIR_JSON(Type, members…)");
  return sdk::Codec<T>::read(value, sdk::Place());
}
template <class T>
T from_json(std::string_view text) {
  if constexpr (std::same_as<T, boost::json::value>)
    return sdk::parse_json(text);
  else
    return from_json<T>(sdk::parse_json(text));
}

/// `value` as JSON text, which from_json reads back as the same value. Throws json_error for NaN
/// and infinity.  [any thread]
template <class T>
std::string to_json(const T& value) {
  static_assert(sdk::Writable<T>,
                "this type cannot be written as JSON: describe it with WEIR_JSON(Type, members…)");
  std::string text;
  sdk::Codec<T>::write(text, value, sdk::Place());
  return text;
}

namespace sdk {
template <class T>
inline constexpr auto schema_text =
    text<[](TextSink& out) { write_schema(out, Codec<T>::shape); }>();
}  // namespace sdk

/// The JSON Schema of what from_json<T> accepts, made at compile time; void and std::monostate are
/// null.
template <class T>
consteval std::string_view schema() {
  constexpr const auto& text =
      sdk::schema_text<std::conditional_t<std::is_void_v<T>, std::monostate, T>>;
  return {text.data(), text.size()};
}

}  // namespace weir
