#include "base/log.hpp"

#include <exception>
#include <string>

namespace weir {

void Log::write(LogLevel level, std::string_view line) noexcept {
  if (!enabled(level)) return;
  try {
    const std::lock_guard lock(mutex_);
    sink_(level, line);
  } catch (...) {
  }
}

void Log::write_formatted(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept {
  try {
    std::string line;
    try {
      line = fmt::vformat(format, args);
    } catch (const std::exception& thrown) {
      line.assign(format.data(), format.size()).append(" (not formatted: ").append(thrown.what());
      line += ')';
    }
    write(level, line);
  } catch (...) {
  }
}

}  // namespace weir
