#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "cli/terminal/console.hpp"
#include "cli/terminal/exit_code.hpp"

namespace weir::cli {

/// The JSON that an option is given: the JSON itself, @FILE, or - for stdin. An error has been
/// reported, with its place.
std::expected<Json, ExitCode> read_json_argument(std::string_view option,
                                                 const std::string& argument, Console& console);

}  // namespace weir::cli
