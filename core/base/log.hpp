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

/// Takes lines and hands those that matter enough to its sink. What the sink makes of them is not
/// known here, so that whoever logs compiles neither a logging library nor fmt's formatting: the
/// arguments of a line are formatted inside libfmt.
///
/// Nothing that goes wrong while a line is written gets out of it: the work goes on without its
/// log.
class Log {
 public:
  /// Given the line as it was written, without a newline. It may throw, which costs the line; it
  /// must not write to the log that it belongs to.
  using Sink = std::function<void(LogLevel level, std::string_view line)>;

  /// Says nothing, whatever is written.
  Log() = default;

  /// Says what matters as much as `least`, or more.
  explicit Log(Sink sink, LogLevel least = LogLevel::info)
      : sink_(std::move(sink)), least_(least) {}
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Whether a line of this level is said; never at `off`.
  bool enabled(LogLevel level) const noexcept {
    return level >= least_ && level < LogLevel::off && sink_;
  }

  /// Says a line that is ready, braces and all.
  void write(LogLevel level, std::string_view line) noexcept;

  /// Says a line that is formatted only when it is said. When a formatter throws an exception of
  /// the standard library, the line tells that instead.
  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) noexcept {
    if (enabled(level)) write_formatted(level, format, fmt::make_format_args(args...));
  }

  /// The same at one level.
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
