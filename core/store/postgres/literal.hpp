#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace weir::postgres {

/// A text that the compiler composes. A std::string would do, but clang cannot use that of
/// libstdc++ 12 in constants.
class Text {
 public:
  static constexpr std::size_t size_max = 3'072;  ///< more does not compile

  constexpr Text() = default;
  constexpr Text(std::string_view text) { *this += text; }
  constexpr Text(const char* text) : Text(std::string_view(text)) {}

  constexpr Text& operator+=(std::string_view text) {
    for (const char c : text) chars_[size_++] = c;
    return *this;
  }
  friend constexpr Text operator+(const Text& left, std::string_view right) {
    Text both = left;
    both += right;
    return both;
  }

  constexpr operator std::string_view() const { return {chars_.data(), size_}; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr std::size_t size() const { return size_; }

 private:
  std::array<char, size_max> chars_{};
  std::size_t size_ = 0;
};

template <auto make>
struct Literal {
  static constexpr Text composed = make();
  static constexpr auto text = [] {
    std::array<char, composed.size() + 1> made{};
    std::ranges::copy(std::string_view(composed), made.begin());
    return made;
  }();
};

/// The text that `make()` composes, as a literal: composed by the compiler, so that a statement's
/// address is its identity (see Session::query).
template <auto make>
constexpr const char* literal = Literal<make>::text.data();

}  // namespace weir::postgres
