#pragma once

namespace weir {

/// How much a line of a log matters, the least first. `off` is no line's own: it is above all of
/// them.
enum class LogLevel { trace, debug, info, warn, error, off };

}  // namespace weir
