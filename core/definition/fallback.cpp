#include "definition/fallback.hpp"

#include <algorithm>
#include <array>

namespace weir {
namespace {

constexpr std::array<Fallback, 3> all = {Fallback::fail, Fallback::skip, Fallback::skip_cascade};

}  // namespace

std::string_view name(Fallback fallback) noexcept {
  switch (fallback) {
    case Fallback::fail:
      return "fail";
    case Fallback::skip:
      return "skip";
    case Fallback::skip_cascade:
      return "skip_cascade";
  }
  return "";
}

std::optional<Fallback> fallback(std::string_view wanted) noexcept {
  const auto found = std::ranges::find(all, wanted, [](Fallback each) { return name(each); });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

}  // namespace weir
