#include "base/error.hpp"

#include <array>

namespace weir {

std::string_view name(ErrorCode code) noexcept {
  constexpr std::array<std::string_view, 9> names = {
      "invalid_input", "invalid_definition", "not_found", "conflict", "lease_lost",
      "unavailable",   "in_doubt",           "corrupt",   "internal"};
  return names[static_cast<std::size_t>(code)];
}

std::string to_string(const Error& error) {
  return error.hint.empty() ? error.message : error.message + " (" + error.hint + ")";
}

}  // namespace weir
