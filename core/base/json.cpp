#include "base/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <fmt/core.h>

#include "base/assert.hpp"
#include "base/utf8.hpp"

namespace weir {
namespace {

namespace bj = boost::json;

// Decimals of a number when it is written without an exponent; `number` is a valid JSON number.
std::int64_t decimals(std::string_view number) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  const std::size_t point = std::min(number.find('.'), e);
  std::int64_t exponent = 0;
  if (e < number.size()) {
    const std::size_t digits = e + (number[e + 1] == '+' ? 2 : 1);
    const auto read =
        std::from_chars(number.data() + digits, number.data() + number.size(), exponent);
    if (read.ec != std::errc())
      return std::numeric_limits<std::int64_t>::max();  // beyond everything
  }
  constexpr std::int64_t far = 1'000'000;  // above every limit, and safe to subtract
  return static_cast<std::int64_t>(e - std::min(point + 1, e)) - std::clamp(exponent, -far, far);
}

// Whether objects of a text have a key twice. Keys come in the order of the text, in parts.
class KeyTwice {
 public:
  void object_begins() { objects_.push_back(keys_.size()); }
  void key_part(std::string_view part) { key_ += part; }
  void key_ends() { keys_.push_back(std::exchange(key_, {})); }
  void object_ends() {
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(objects_.back());
    objects_.pop_back();
    if (!found_) {
      std::sort(first, keys_.end());
      found_ = std::adjacent_find(first, keys_.end()) != keys_.end();
    }
    keys_.erase(first, keys_.end());
  }
  bool found() const noexcept { return found_; }

 private:
  std::string key_;
  std::vector<std::string> keys_;     // of all open objects
  std::vector<std::size_t> objects_;  // where the keys of each begin
  bool found_ = false;
};

// Accepts what jsonb can store; builds no value.
struct Checker {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t number_bytes_max = 1024;
  static constexpr std::int64_t decimals_max = 16'383;  // of PostgreSQL's numeric

  using Code = bj::error_code;
  std::string refusal;
  KeyTwice key_twice;
  bool minus_zero = false;  // the database stores 0

  bool refuse(std::string why, Code& ec) {
    refusal = std::move(why);
    ec = bj::error::syntax;
    return false;
  }
  bool storable(bj::string_view part, Code& ec) {
    return part.find('\0') == bj::string_view::npos ||
           refuse("\\u0000 in a string, which the database cannot store", ec);
  }
  bool number(bj::string_view text, Code& ec) {
    number_bytes_ += text.size();
    return number_bytes_ <= number_bytes_max || refuse("a number of over 1024 characters", ec);
  }
  bool number_ends() {
    number_bytes_ = 0;
    return true;
  }

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_object_begin(Code&) {
    key_twice.object_begins();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    key_twice.object_ends();
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, Code& ec) { return storable(part, ec); }
  bool on_string(bj::string_view part, std::size_t, Code& ec) { return storable(part, ec); }
  bool on_key_part(bj::string_view part, std::size_t, Code& ec) {
    key_twice.key_part({part.data(), part.size()});
    return storable(part, ec);
  }
  bool on_key(bj::string_view part, std::size_t, Code& ec) {
    key_twice.key_part({part.data(), part.size()});
    key_twice.key_ends();
    return storable(part, ec);
  }
  bool on_number_part(bj::string_view text, Code& ec) { return number(text, ec); }
  bool on_int64(std::int64_t value, bj::string_view text, Code& ec) {
    minus_zero = minus_zero || (value == 0 && (text.starts_with('-') || number_bytes_ > 0));
    return number(text, ec) && number_ends();
  }
  bool on_uint64(std::uint64_t, bj::string_view text, Code& ec) {
    return number(text, ec) && number_ends();
  }
  bool on_double(double value, bj::string_view text, Code& ec) {
    // The parser's value is approximate: near the end of the range strtod, which is exact, decides.
    if (!std::isfinite(value) && !std::isfinite(std::strtod(std::string(text).c_str(), nullptr)))
      return refuse("the number is out of range: a double holds at most 1.8e308", ec);
    minus_zero = minus_zero || (value == 0 && std::signbit(value));
    if (!number(text, ec)) return false;
    return decimals({text.data(), text.size()}) <= decimals_max
               ? number_ends()
               : refuse("a number of over 16383 decimals, which the database cannot store", ec);
  }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(bj::string_view, Code&) { return true; }
  bool on_comment(bj::string_view, Code&) { return true; }

 private:
  std::size_t number_bytes_ = 0;
};

// The value as the database stores it: of members with the same key the last one, and 0 for -0.
void write_stored(const Json& value, std::string& text) {
  switch (value.type()) {
    case JsonType::array: {
      text += '[';
      bool first = true;
      for (const Json& element : value.elements()) {
        if (!std::exchange(first, false)) text += ',';
        write_stored(element, text);
      }
      text += ']';
      return;
    }
    case JsonType::object: {
      std::map<std::string, Json> members;
      for (auto& [key, member] : value.members()) members.insert_or_assign(key, member);
      text += '{';
      bool first = true;
      for (const auto& [key, member] : members) {
        if (!std::exchange(first, false)) text += ',';
        text += json_quoted(key);
        text += ':';
        write_stored(member, text);
      }
      text += '}';
      return;
    }
    case JsonType::number: {
      const std::string_view number = value.text();
      const std::string_view digits = number.substr(0, number.find_first_of("eE"));
      const bool is_zero = digits.find_first_of("123456789") == std::string_view::npos;
      text += is_zero && number.starts_with('-') ? number.substr(1) : number;
      return;
    }
    case JsonType::null:
    case JsonType::boolean:
    case JsonType::string:
      text += value.text();
      return;
  }
}

JsonFault fault_at(std::string_view text, std::size_t offset, std::string what) {
  JsonFault fault{.offset = std::min(offset, text.size()), .what = std::move(what)};
  const std::string_view before = text.substr(0, fault.offset);
  const std::size_t newline = before.rfind('\n');
  fault.line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  fault.column = fault.offset - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return fault;
}

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The position after the closing quote of the string that begins at `begin`.
std::size_t end_of_string(std::string_view text, std::size_t begin) {
  WEIR_DEBUG_ASSERT(begin < text.size() && text[begin] == '"');
  std::size_t i = begin + 1;
  for (; text[i] != '"'; ++i)
    if (text[i] == '\\') ++i;
  return i + 1;
}

// The text of a valid JSON string, without its quotes and escapes.
std::string unescaped(std::string_view quoted) {
  WEIR_DEBUG_ASSERT(quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"');
  if (quoted.find('\\') == std::string_view::npos)
    return std::string(quoted.substr(1, quoted.size() - 2));
  const bj::value value = bj::parse(bj::string_view(quoted.data(), quoted.size()));
  return {value.get_string().data(), value.get_string().size()};
}

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

std::string_view described(JsonType type) noexcept {
  switch (type) {
    case JsonType::null:
      return "null";
    case JsonType::boolean:
      return "a boolean";
    case JsonType::number:
      return "a number";
    case JsonType::string:
      return "a string";
    case JsonType::array:
      return "an array";
    case JsonType::object:
      return "an object";
  }
  return "nothing";
}

Json::Json() {
  static const auto shared = std::make_shared<const std::string>("null");
  buffer_ = shared;
  offset_ = 0;
  size_ = shared->size();
}

std::expected<Json, JsonFault> Json::parse_located(std::string text) {
  bj::parse_options options;
  options.max_depth = depth_max;
  bj::basic_parser<Checker> parser(options);
  bj::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) {
    const std::string& refusal = parser.handler().refusal;
    const bool too_deep = ec == bj::error::too_deep;
    if (!refusal.empty() || too_deep) {
      JsonFault fault =
          fault_at(text, used,
                   too_deep ? fmt::format("nested more than {} deep", Json::depth_max) : refusal);
      fault.is_json = true;
      return std::unexpected(std::move(fault));
    }
    if (ec == bj::error::incomplete)
      return std::unexpected(fault_at(text, text.size(), "the text ends too early"));
    return std::unexpected(fault_at(text, used, ec.message()));
  }
  if (const auto rest = std::ranges::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(used),
                                                 text.end(), is_space);
      rest != text.end())
    return std::unexpected(fault_at(text, static_cast<std::size_t>(rest - text.begin()),
                                    "something follows after the value"));
  const bool as_stored = !parser.handler().minus_zero && !parser.handler().key_twice.found();
  Json given = trusted(std::move(text));
  if (as_stored) return given;
  std::string stored;
  write_stored(given, stored);
  return trusted(std::move(stored));
}

Result<Json> Json::parse(std::string text) {
  auto parsed = parse_located(std::move(text));
  if (parsed) return *std::move(parsed);
  const JsonFault& fault = parsed.error();
  return std::unexpected(Error{.code = ErrorCode::invalid_input,
                               .kind = "bad_json",
                               .message = fmt::format("{}: line {}, column {}: {}", fault.verdict(),
                                                      fault.line, fault.column, fault.what),
                               .hint = {}});
}

Json Json::trusted(std::string text) {
  auto buffer = std::make_shared<const std::string>(std::move(text));
  const auto first = std::ranges::find_if_not(*buffer, is_space);
  WEIR_ASSERT(first != buffer->end());
  std::size_t size = static_cast<std::size_t>(buffer->end() - first);
  while (is_space(*(first + static_cast<std::ptrdiff_t>(size) - 1))) --size;
  const auto offset = static_cast<std::size_t>(first - buffer->begin());
  return {std::move(buffer), offset, size};
}

Json Json::array(std::span<const Json> elements) {
  std::size_t size = 2;
  for (const Json& element : elements) size += element.text().size() + 1;
  std::string text;
  text.reserve(size);
  text += '[';
  for (const Json& element : elements) {
    if (text.size() > 1) text += ',';
    text += element.text();
  }
  text += ']';
  return trusted(std::move(text));
}

Json Json::object(std::span<const std::pair<std::string, Json>> members) {
  std::string text = "{";
  for (const auto& [key, value] : members) {
    if (text.size() > 1) text += ',';
    text += json_quoted(key);
    text += ':';
    text += value.text();
  }
  text += '}';
  return trusted(std::move(text));
}

Json Json::string(std::string_view utf8) { return trusted(json_quoted(utf8)); }

Json Json::number(std::int64_t value) { return trusted(std::to_string(value)); }

JsonType Json::type() const noexcept {
  switch (text().front()) {
    case 'n':
      return JsonType::null;
    case 't':
    case 'f':
      return JsonType::boolean;
    case '"':
      return JsonType::string;
    case '[':
      return JsonType::array;
    case '{':
      return JsonType::object;
    default:
      return JsonType::number;
  }
}

std::vector<Json> Json::elements() const {
  return type() == JsonType::array ? items() : std::vector<Json>();
}

std::vector<std::pair<std::string, Json>> Json::members() const {
  std::vector<std::pair<std::string, Json>> found;
  if (type() != JsonType::object) return found;
  for (const Json& item : items()) {
    const std::string_view all = item.text();
    const std::size_t key_end = end_of_string(all, 0);
    std::size_t value = all.find(':', key_end) + 1;
    while (is_space(all[value])) ++value;
    found.emplace_back(unescaped(all.substr(0, key_end)),
                       Json(item.buffer_, item.offset_ + value, all.size() - value));
  }
  return found;
}

std::string Json::decoded() const {
  return type() == JsonType::string ? unescaped(text()) : std::string();
}

std::vector<Json> Json::items() const {
  std::vector<Json> found;
  const std::string_view all = text();
  std::size_t depth = 0;
  std::size_t begin = 1;
  const auto take = [&](std::size_t end) {
    while (begin < end && is_space(all[begin])) ++begin;
    while (end > begin && is_space(all[end - 1])) --end;
    if (begin < end) found.push_back(Json(buffer_, offset_ + begin, end - begin));
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    switch (all[i]) {
      case '"':
        i = end_of_string(all, i) - 1;
        break;
      case '[':
      case '{':
        ++depth;
        break;
      case ']':
      case '}':
        if (--depth == 0) take(i);
        break;
      case ',':
        if (depth == 1) {
          take(i);
          begin = i + 1;
        }
        break;
      default:
        break;
    }
  }
  WEIR_DEBUG_ASSERT(depth == 0);  // the text was checked before: every bracket has its other
  return found;
}

std::string json_quoted(std::string_view utf8) {
  std::string out = "\"";
  for (const char c : utf8_or_replaced(utf8)) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  return out + '"';
}

std::string utf8_or_replaced(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = bytes.front() == '\0' ? 0 : character_length(bytes);
    out += length == 0 ? replacement : bytes.substr(0, length);
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace weir
