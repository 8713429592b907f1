#pragma once
#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include <weir/sdk/place.hpp>

namespace weir::sdk {

inline void write_string(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20)
      out.append("\\u00").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
    else if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else
      out += c;
  }
  out += '"';
}

template <std::integral T>
void write_number(std::string& out, T value, const Place&) {
  std::array<char, 24> digits;
  out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
}

/// The shortest text that reads back as the same value; 99 is written 99.0, so that it stays a
/// double.
template <std::floating_point T>
void write_number(std::string& out, T value, const Place& place) {
  if (!std::isfinite(value))
    place.refuse(std::isnan(value) ? "NaN is not a JSON number" : "infinity is not a JSON number");
  std::array<char, 40> digits;
  const std::string_view text(
      digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

inline void write_value(std::string& out, const boost::json::value& value, const Place& place) {
  switch (value.kind()) {
    case boost::json::kind::null:
      out += "null";
      break;
    case boost::json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case boost::json::kind::int64:
      write_number(out, value.get_int64(), place);
      break;
    case boost::json::kind::uint64:
      write_number(out, value.get_uint64(), place);
      break;
    case boost::json::kind::double_:
      write_number(out, value.get_double(), place);
      break;
    case boost::json::kind::string:
      write_string(out, {value.get_string().data(), value.get_string().size()});
      break;
    case boost::json::kind::array: {
      std::size_t index = 0;
      for (const auto& element : value.get_array()) {
        out += index == 0 ? '[' : ',';
        write_value(out, element, place.element(index++));
      }
      out += index == 0 ? "[]" : "]";
      break;
    }
    case boost::json::kind::object: {
      bool first = true;
      for (const auto& [key, member] : value.get_object()) {
        out += first ? '{' : ',';
        first = false;
        write_string(out, {key.data(), key.size()});
        out += ':';
        write_value(out, member, place.member({key.data(), key.size()}));
      }
      out += first ? "{}" : "}";
      break;
    }
  }
}

}  // namespace weir::sdk
