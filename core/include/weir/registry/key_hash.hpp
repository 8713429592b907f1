/// How a registry finds a key: its hash, and the form in which a lookup takes it.
///
/// Threads: functions of their arguments alone.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace weir {

namespace keys {

__extension__ using Product = unsigned __int128;

/// Every bit of the result depends on every bit of both.
constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline constexpr std::uint64_t salt = 0xa0761d6478bd642fU;  // odd, with half of its bits set
inline constexpr std::uint64_t salt_left = 0xe7037ed1a0b428dbU;
inline constexpr std::uint64_t salt_end = 0x8ebc6af09c88c6e3U;

template <class Number>
std::uint64_t read(const char* from) noexcept {
  Number number = 0;
  std::memcpy(&number, from, sizeof number);
  return number;
}

/// One multiplication for 16 bytes (after Wang Yi's wyhash).
inline std::uint64_t hash_of(std::string_view text) noexcept {
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t hash = salt;
  for (; left > 16; at += 16, left -= 16)
    hash = fold(read<std::uint64_t>(at) ^ salt_left, read<std::uint64_t>(at + 8) ^ hash);
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (left >= 8) {  // the two may overlap
    first = read<std::uint64_t>(at);
    last = read<std::uint64_t>(at + left - 8);
  } else if (left >= 4) {
    first = read<std::uint32_t>(at);
    last = read<std::uint32_t>(at + left - 4);
  } else if (left > 0) {
    first = read<std::uint8_t>(at) << 16 | read<std::uint8_t>(at + left / 2) << 8 |
            read<std::uint8_t>(at + left - 1);
  }
  return fold(salt_end ^ text.size(), fold(first ^ salt_left, last ^ hash));
}

}  // namespace keys

/// 64 well-mixed bits of a key: by std::hash, for texts by the function above. Equal keys have
/// equal hashes in every process. It does not resist keys that were chosen to slow a table down.
/// Cost for a text of 20 bytes: about 3 ns.
template <class Key>
struct KeyHash {
  std::uint64_t operator()(const Key& key) const {
    return keys::fold(std::hash<Key>{}(key) ^ keys::salt, keys::salt_left);
  }
};

template <>
struct KeyHash<std::string> {
  std::uint64_t operator()(std::string_view key) const noexcept { return keys::hash_of(key); }
};

namespace keys {

/// Depends on the order.
template <class... Keys>
std::uint64_t hash_of_all(const Keys&... all) {
  std::uint64_t hash = salt_end ^ sizeof...(Keys);
  ((hash = fold(hash ^ KeyHash<Keys>{}(all), salt_left)), ...);
  return hash;
}

}  // namespace keys

/// Of pairs and tuples: by the KeyHash of each element, which may be a pair or tuple again.
template <class... Elements>
struct KeyHash<std::tuple<Elements...>> {
  std::uint64_t operator()(const std::tuple<Elements...>& key) const {
    return std::apply([](const Elements&... each) { return keys::hash_of_all(each...); }, key);
  }
};

template <class First, class Second>
struct KeyHash<std::pair<First, Second>> {
  std::uint64_t operator()(const std::pair<First, Second>& key) const {
    return keys::hash_of_all(key.first, key.second);
  }
};

/// What a lookup takes for a Key: a string_view where keys are strings, else the key itself.
template <class Key>
struct Sought {
  using type = const Key&;
};
template <>
struct Sought<std::string> {
  using type = std::string_view;
};

}  // namespace weir
