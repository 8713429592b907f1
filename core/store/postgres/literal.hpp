#pragma once
#include <algorithm>
#include <array>
#include <cstddef>

namespace weir::postgres {

template <auto make>
struct Literal {
  static constexpr std::size_t size = make().size();
  static constexpr std::array<char, size + 1> text = [] {
    std::array<char, size + 1> made{};
    std::ranges::copy(make(), made.begin());
    return made;
  }();
};

/// The text that `make()` composes, as a literal: composed by the compiler, so that a statement's
/// address is its identity (see Session::query).
template <auto make>
constexpr const char* literal = Literal<make>::text.data();

}  // namespace weir::postgres
