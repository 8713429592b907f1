#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "cli/terminal/console.hpp"
#include "cli/terminal/exit_code.hpp"

namespace weir::cli {

/// The time that an option is given, as parse_iso8601 reads it. An error has been reported.
std::expected<Time, ExitCode> read_time_argument(std::string_view option,
                                                 const std::string& argument, Console& console);

/// The same; may also be a duration before `now`, such as "2h".
std::expected<Time, ExitCode> read_past_time_argument(std::string_view option,
                                                      const std::string& argument, Time now,
                                                      Console& console);

}  // namespace weir::cli
