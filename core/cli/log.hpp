#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "cli/terminal/terminal.hpp"
#include "config/config.hpp"

namespace weir::cli {

/// Makes a log that writes to stderr, as configured: "2026-11-21T01:56:26.123Z info …", or one JSON
/// object per line, {"time","level","message"}.
std::shared_ptr<Log> make_log(const LogConfig& config, const Terminal& err);

/// A message as the text format shows it, without time and level: its own lines after the first are
/// indented, so that no message can pass for another one.
std::string text_log_line(std::string_view message);

/// The line of a message in the JSON format, without newline.
std::string json_log_line(std::string_view time, std::string_view level, std::string_view message);

}  // namespace weir::cli
