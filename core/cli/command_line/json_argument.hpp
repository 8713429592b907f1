#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "cli/terminal/console.hpp"
#include "cli/terminal/exit_code.hpp"

namespace weir::cli {

/// The JSON an option is given: itself, @FILE, or - for stdin. What is wrong with it was told, with
/// its place.
std::expected<Json, ExitCode> read_json_argument(std::string_view option,
                                                 const std::string& argument, Console& console);

}  // namespace weir::cli
