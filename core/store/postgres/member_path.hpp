#pragma once
#include <functional>
#include <tuple>
#include <utility>

namespace weir::postgres {

/// The way from an object to a value of it: a member, a member of a member …, or one function that
/// computes it.
template <class... Steps>
struct MemberPath {
  std::tuple<Steps...> steps;

  constexpr decltype(auto) of(auto& object) const {
    if constexpr (sizeof...(Steps) == 1)
      return std::invoke(std::get<0>(steps), object);
    else
      return std::apply([&](auto... step) -> auto& { return (object.*....*step); }, steps);
  }
};

}  // namespace weir::postgres
