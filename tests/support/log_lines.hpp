#pragma once
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.hpp"

namespace weir::testing {

/// A line as tests read it, with the program's name of its level.
inline std::string log_line(LogLevel level, std::string_view line) {
  constexpr std::string_view names[] = {"trace", "debug", "info", "warning", "error", "off"};
  return std::string(names[static_cast<std::size_t>(level)]).append(": ").append(line);
}

/// Keeps the lines written to its logs, which may outlive it.  [any thread]
class LogLines {
 public:
  /// A new log whose lines are kept here.
  std::shared_ptr<Log> log(LogLevel least = LogLevel::info) const {
    return std::make_shared<Log>(
        [kept = kept_](LogLevel level, std::string_view line) {
          const std::lock_guard lock(kept->mutex);
          kept->text.append(line) += '\n';
          kept->with_levels.append(log_line(level, line)) += '\n';
        },
        least);
  }

  /// The lines so far: "flow good is removed\n".
  std::string text() const {
    const std::lock_guard lock(kept_->mutex);
    return kept_->text;
  }

  /// The same with levels: "info: flow good is removed\n".
  std::string with_levels() const {
    const std::lock_guard lock(kept_->mutex);
    return kept_->with_levels;
  }

 private:
  struct Kept {
    std::mutex mutex;  // a Log calls its sink on one thread at a time, but there may be several
    std::string text, with_levels;
  };
  const std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

/// A log that prints its lines if the environment has `variable`, else drops them.
inline std::shared_ptr<Log> printed_log(const char* variable, std::FILE* to) {
  if (std::getenv(variable) == nullptr) return std::make_shared<Log>();
  return std::make_shared<Log>([to](LogLevel level, std::string_view line) {
    std::fputs((log_line(level, line) + "\n").c_str(), to);
    std::fflush(to);
  });
}

}  // namespace weir::testing
