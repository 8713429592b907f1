/// Threads: every member of Log may be called from any thread.
///
/// Invariant: the sink is called by one thread at a time.
#pragma once
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/log_level.hpp"

namespace weir {

/// Passes the lines whose level is high enough to its sink. How the sink writes them is unknown
/// here, so that code that logs compiles neither a logging library nor fmt's formatting: the
/// arguments of a line are formatted inside libfmt.
///
/// No error leaves a call that writes a line: the line is lost and the caller continues.
class Log {
 public:
  /// Receives a line as it was written, without a newline. It may throw, then the line is lost; it
  /// must not write to the log it belongs to.
  using Sink = std::function<void(LogLevel level, std::string_view line)>;

  /// Discards every line.
  Log() = default;

  /// Passes on lines of level `least` and above.
  explicit Log(Sink sink, LogLevel least = LogLevel::info)
      : sink_(std::move(sink)), least_(least) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Whether a line of this level is passed on; never for `off`.
  bool enabled(LogLevel level) const noexcept {
    return level >= least_ && level < LogLevel::off && sink_;
  }

  /// Writes a finished line; braces in it have no meaning.
  void write(LogLevel level, std::string_view line) noexcept;

  /// Formats and writes a line; formats only if the level is enabled. When a formatter throws an
  /// exception of the standard library, the line reports that instead.
  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) noexcept {
    if (enabled(level)) write_formatted(level, format, fmt::make_format_args(args...));
  }

  /// debug(), info(), warn() and error() are log() at one level.
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) noexcept {
    log(LogLevel::debug, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) noexcept {
    log(LogLevel::info, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) noexcept {
    log(LogLevel::warn, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) noexcept {
    log(LogLevel::error, format, std::forward<Args>(args)...);
  }

 private:
  void write_formatted(LogLevel level, fmt::string_view format, fmt::format_args args) noexcept;

  const Sink sink_{};
  const LogLevel least_ = LogLevel::off;
  std::mutex mutex_;  // around sink_
};

}  // namespace weir
