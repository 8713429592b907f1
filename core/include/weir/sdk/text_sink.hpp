#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::sdk {

/// Writes text at compile time. Without a target it only counts, so a text is made in two passes:
/// first its length, then its content.
class TextSink {
 public:
  constexpr explicit TextSink(char* target = nullptr) : target_(target) {}

  constexpr std::size_t size() const { return size_; }

  constexpr void raw(std::string_view text) {
    for (const char c : text) put(c);
  }
  constexpr void number(std::int64_t value) {
    std::array<char, 20> digits{};
    std::size_t count = 0;
    std::uint64_t rest =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    do {
      digits[count++] = static_cast<char>('0' + rest % 10);
      rest /= 10;
    } while (rest != 0);
    if (value < 0) put('-');
    while (count != 0) put(digits[--count]);
  }

  /// `text` as a JSON string.
  constexpr void quoted(std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    put('"');
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20) {
        raw("\\u00");
        put(hex[byte >> 4]);
        put(hex[byte & 15]);
      } else {
        if (c == '"' || c == '\\') put('\\');
        put(c);
      }
    }
    put('"');
  }

 private:
  constexpr void put(char c) {
    if (target_ != nullptr) target_[size_] = c;
    ++size_;
  }

  char* target_;
  std::size_t size_ = 0;
};

/// How many bytes `write` (a callable taking a TextSink&) writes.
template <auto write>
inline constexpr std::size_t text_size = [] {
  TextSink counter;
  write(counter);
  return counter.size();
}();

/// The text that `write` writes; `array_size` may be larger, the rest is zero.
template <auto write, std::size_t array_size = text_size<write>>
consteval std::array<char, array_size> text() {
  std::array<char, array_size> made{};
  TextSink sink(made.data());
  write(sink);
  return made;
}

}  // namespace weir::sdk
