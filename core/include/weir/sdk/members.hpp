#pragma once
#include <concepts>
#include <cstddef>
#include <string_view>
#include <tuple>

namespace weir::sdk {

template <class Owner, class Type>
struct Member {
  using Value = Type;
  std::string_view name;
  Type Owner::* pointer;
};

/// What WEIR_JSON(T, …) makes known. T stands in the type, lest a class derived from T pass for T.
template <class T, class... Members>
struct MemberList {
  using Owner = T;
  std::tuple<Members...> members;
};

template <class T, class... Owners, class... Types>
consteval MemberList<T, Member<Owners, Types>...> member_list(Member<Owners, Types>... members) {
  return {{members...}};
}

template <class T>
concept Described = requires(const T* none) {
  requires std::same_as<typename decltype(weir_members(none))::Owner, T>;
};

template <Described T>
inline constexpr auto described_members = weir_members(static_cast<const T*>(nullptr)).members;

}  // namespace weir::sdk
