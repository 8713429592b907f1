#pragma once
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

#include <weir/sdk/place.hpp>

namespace weir::sdk {

/// Builds the value while Boost.JSON parses. Boost's own double (1.81) is off by a bit for one
/// number in ten, so doubles are parsed again from their text.
class ValueBuilder {
 public:
  using Code = boost::json::error_code;
  using Text = boost::json::string_view;
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  ValueBuilder() { stack_.reset(); }
  boost::json::value release() { return stack_.release(); }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t size, Code&) { return stack_.push_object(size), true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t size, Code&) { return stack_.push_array(size), true; }
  bool on_key_part(Text part, std::size_t, Code&) { return stack_.push_chars(part), true; }
  bool on_key(Text part, std::size_t, Code&) { return stack_.push_key(part), true; }
  bool on_string_part(Text part, std::size_t, Code&) { return stack_.push_chars(part), true; }
  bool on_string(Text part, std::size_t, Code&) { return stack_.push_string(part), true; }
  bool on_number_part(Text part, Code&) { return number_.append(part.data(), part.size()), true; }
  bool on_int64(std::int64_t value, Text, Code&) {
    return number_.clear(), stack_.push_int64(value), true;
  }
  bool on_uint64(std::uint64_t value, Text, Code&) {
    return number_.clear(), stack_.push_uint64(value), true;
  }
  bool on_double(double value, Text rest, Code& ec) {
    number_.append(rest.data(), rest.size());
    std::from_chars(number_.data(), number_.data() + number_.size(), value);  // leaves 0 for 1e-999
    number_.clear();
    if (!std::isfinite(value)) return ec = boost::json::error::exponent_overflow, false;
    return stack_.push_double(value), true;
  }
  bool on_bool(bool value, Code&) { return stack_.push_bool(value), true; }
  bool on_null(Code&) { return stack_.push_null(), true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

 private:
  boost::json::value_stack stack_;
  std::string number_;
};

/// Exact: 64-bit integers unchanged, of doubles the nearest one. Throws json_error.
inline boost::json::value parse_json(std::string_view text) {
  const auto refuse = [](std::size_t byte, std::string_view why, std::string_view verdict) {
    Place().refuse(std::string(verdict) + ": at byte " + std::to_string(byte) + ": " +
                   std::string(why));
  };
  constexpr std::size_t depth_max = 500;
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::basic_parser<ValueBuilder> parser(options);
  boost::json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  constexpr std::string_view not_json = "not JSON", not_kept = "JSON that cannot be kept";
  if (ec == boost::json::error::too_deep)
    refuse(used, "nested more than " + std::to_string(depth_max) + " deep", not_kept);
  if (ec == boost::json::error::exponent_overflow)
    refuse(used, "the number is out of range: a double holds at most 1.8e308", not_kept);
  if (ec) refuse(used, ec.message(), not_json);
  if (const std::size_t rest = text.find_first_not_of(" \t\r\n", used);
      rest != std::string_view::npos)
    refuse(rest, "something follows after the value", not_json);
  return parser.handler().release();
}

}  // namespace weir::sdk
