#include "config/typed_keys.hpp"

#include <charconv>
#include <chrono>

#include "config/quantity.hpp"

namespace weir {
namespace {

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string written_whole(std::int64_t number) { return fmt::format("{}", number); }
std::optional<std::int64_t> parse_milliseconds(std::string_view text) {
  const auto duration = parse_duration(text);
  return duration ? std::optional(duration->count()) : std::nullopt;
}
std::string written_milliseconds(std::int64_t count) {
  return written(std::chrono::milliseconds(count));
}

}  // namespace

constinit const Notation whole_notation = {"a whole number", parse_whole, written_whole};
constinit const Notation duration_notation = {"a duration such as \"500ms\" or \"2s\"",
                                              parse_milliseconds, written_milliseconds};
constinit const Notation size_notation = {"a size such as \"64KiB\" or \"16MiB\"", parse_size,
                                          written_size};

std::optional<std::int64_t> read_number(Reader& reader, std::string_view key,
                                        const YAML::Node& value, const Notation& notation,
                                        std::int64_t min, std::int64_t max) {
  const std::string* const text = reader.scalar(key, value, notation.form);
  if (text == nullptr) return std::nullopt;
  const auto number = notation.parse(*text);
  if (!number) {
    reader.refuse("bad_type", key, value, notation.form);
    return std::nullopt;
  }
  if (*number >= min && *number <= max) return number;
  reader.refuse("out_of_range", key, value,
                fmt::format("{} to {}", notation.write(min), notation.write(max)));
  return std::nullopt;
}

}  // namespace weir
