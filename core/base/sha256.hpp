#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weir {

/// A SHA-256 in progress.  [one thread at a time]
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);

  /// 64 lower-case hex digits; the object cannot be used afterwards.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// Whether these are 64 lower-case hex digits.
inline bool is_sha256(std::string_view hex) {
  return hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The part of a hex hash that is shown to people.
inline std::string short_hash(std::string_view hex) { return std::string(hex.substr(0, 12)); }

}  // namespace weir
