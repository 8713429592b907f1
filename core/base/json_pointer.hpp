#pragma once
#include <string>
#include <string_view>

namespace weir {

/// The part of a JSON pointer (RFC 6901) that leads to the member `key`: "/a~1b" for "a/b".
inline std::string pointer_token(std::string_view key) {
  std::string token = "/";
  for (const char c : key) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return token;
}

}  // namespace weir
