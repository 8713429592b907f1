#pragma once
#include <array>
#include <expected>
#include <string>
#include <string_view>

namespace weir {

/// What the caller can do about a failure.
enum class ErrorCode {
  invalid_input,       ///< fix the input; retrying changes nothing
  invalid_definition,  ///< fix the plugin or its manifest
  not_found,           ///< no such thing; the hint names the nearest
  conflict,            ///< another holder has it; the message names the holder
  lease_lost,          ///< the database regards this worker as dead: drop everything it held
  unavailable,         ///< retry later
  in_doubt,            ///< unknown whether it happened: read before acting
  corrupt,             ///< what was stored or sent breaks its own rules; needs a person
  internal,            ///< a bug in Weir
};

/// The code's name as logs, JSON and the database contain it: "invalid_input".
inline std::string_view name(ErrorCode code) noexcept {
  constexpr std::array<std::string_view, 9> names = {
      "invalid_input", "invalid_definition", "not_found", "conflict", "lease_lost",
      "unavailable",   "in_doubt",           "corrupt",   "internal"};
  return names[static_cast<std::size_t>(code)];
}

/// A failure as a value: the same in CLI, API, log and database.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string kind = {};     ///< a stable word for this failure: "unknown_dependency"
  std::string message = {};  ///< what was met, and where
  std::string hint = {};     ///< what to do about it; may be empty
  friend bool operator==(const Error&, const Error&) = default;
};

/// "message (hint)" on one line.
inline std::string to_string(const Error& error) {
  return error.hint.empty() ? error.message : error.message + " (" + error.hint + ")";
}

template <class T>
using Result = std::expected<T, Error>;

}  // namespace weir
