#pragma once
#include <array>
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

/// What WEIR_JSON(T, …) describes. T is part of the type, so that no derived class passes for T.
template <class T, class... Members>
struct MemberList {
  using Owner = T;
  std::tuple<Members...> members;
};

/// Never defined: its name is the error.
void a_member_is_named_twice();

template <class T, class... Owners, class... Types>
consteval MemberList<T, Member<Owners, Types>...> member_list(Member<Owners, Types>... members) {
  const std::array<std::string_view, sizeof...(members)> names{members.name...};
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (names[i] == names[j]) a_member_is_named_twice();
  return {{members...}};
}

template <class T>
concept Described = requires(const T* none) {
  requires std::same_as<typename decltype(weir_members(none))::Owner, T>;
};

template <Described T>
inline constexpr auto described_members = weir_members(static_cast<const T*>(nullptr)).members;

}  // namespace weir::sdk
