#include "cli/command_line/time_argument.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/iso8601.hpp"
#include "config/quantity.hpp"

namespace weir::cli {
namespace {

ExitCode refuse(std::string_view option, const std::string& argument, std::string_view expected,
                Console& console) {
  return console.fail(Error{
      .code = ErrorCode::invalid_input,
      .kind = "bad_argument",
      .message = fmt::format("{}: expected {}, got {}", option, expected, in_quotes(argument)),
      .hint = {}});
}

}  // namespace

std::expected<Time, ExitCode> read_time_argument(std::string_view option,
                                                 const std::string& argument, Console& console) {
  if (const auto time = parse_iso8601(argument)) return *time;
  return std::unexpected(refuse(option, argument,
                                "a time such as \"2026-11-21 18:00\" (UTC) or "
                                "\"2026-11-21T18:00:00+01:00\"",
                                console));
}

std::expected<Time, ExitCode> read_past_time_argument(std::string_view option,
                                                      const std::string& argument, Time now,
                                                      Console& console) {
  if (const auto time = parse_iso8601(argument)) return *time;
  if (const auto back = parse_duration(argument)) {
    const auto far = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
    return now - std::min(*back, far);
  }
  return std::unexpected(refuse(option, argument,
                                "a time such as \"2026-11-21 18:00\" (UTC), or how long ago it "
                                "was, such as \"2h\"",
                                console));
}

}  // namespace weir::cli
