#pragma once

namespace weir {

/// Severity of a log line, the least severe first. No line has `off`, which is above every other.
enum class LogLevel { trace, debug, info, warn, error, off };

}  // namespace weir
