#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weir/result.hpp>

namespace weir {

enum class JsonType { null, boolean, number, string, array, object };

/// The type with its article, for messages: "an array", "an object", "null".
std::string_view described(JsonType type) noexcept;

/// Where a text stops being JSON, or JSON that can be kept. `offset` counts bytes from 0, `line` and
/// `column` from 1.
struct JsonFault {
  std::size_t offset = 0;
  std::size_t line = 1;
  std::size_t column = 1;
  std::string what;
  bool is_json = false;  ///< it is JSON, which the database or a limit cannot take

  /// "not JSON", "JSON that cannot be kept"
  std::string_view verdict() const noexcept {
    return is_json ? "JSON that cannot be kept" : "not JSON";
  }
};

/// One checked JSON text: UTF-8, RFC 8259, nested at most `depth_max` deep, and storable as
/// PostgreSQL's jsonb (no \u0000, numbers a double can hold). The text itself is kept, so values
/// pass through Weir unchanged (P8). Copies and elements share one buffer.  [any thread]
class Json {
 public:
  static constexpr std::size_t depth_max = 500;

  /// Errors: invalid_input, kind "bad_json", with line and column.
  static Result<Json> parse(std::string text);

  /// As parse, for callers that show the place themselves.
  static std::expected<Json, JsonFault> parse_located(std::string text);

  /// For text that was checked before: what the database or this class wrote.
  static Json trusted(std::string text);

  static Json array(std::span<const Json> elements);
  static Json object(std::span<const std::pair<std::string, Json>> members);
  static Json string(std::string_view utf8);
  static Json number(std::int64_t value);
  static Json boolean(std::same_as<bool> auto value) { return trusted(value ? "true" : "false"); }

  /// null
  Json();

  std::string_view text() const noexcept { return {buffer_->data() + offset_, size_}; }
  JsonType type() const noexcept;

  /// Elements of an array in order; empty for anything else. Cost: one pass over the text.
  std::vector<Json> elements() const;

  /// Members of an object in the order of the text, keys decoded, duplicates included (jsonb keeps
  /// the last). Empty for anything else. Cost: one pass over the text.
  std::vector<std::pair<std::string, Json>> members() const;

  /// The content of a string, escapes resolved; empty for anything else.
  std::string decoded() const;

  /// The same text (not the same value: 1 and 1.0 differ, so does white space).
  friend bool operator==(const Json& a, const Json& b) noexcept { return a.text() == b.text(); }

 private:
  Json(std::shared_ptr<const std::string> buffer, std::size_t offset, std::size_t size)
      : buffer_(std::move(buffer)), offset_(offset), size_(size) {}

  /// The texts between the brackets and commas of an array or object.
  std::vector<Json> items() const;

  std::shared_ptr<const std::string> buffer_;
  std::size_t offset_;
  std::size_t size_;
};

}  // namespace weir
