#pragma once
#include <charconv>
#include <cstdint>
#include <string_view>

#include <weir/abi/plugin.h>
#include <weir/error.hpp>
#include <weir/json.hpp>

namespace weir {

/// What a handler is told of its call, and can say during it. Made by the SDK; valid until the
/// handler returns, and so is every string it gives.  [any thread]
class Context {
 public:
  Context(const weir_host& host, weir_call& call) noexcept : host_(&host), call_(&call) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void debug(std::string_view message) const { log(WEIR_LOG_DEBUG, message); }
  void info(std::string_view message) const { log(WEIR_LOG_INFO, message); }
  void warn(std::string_view message) const { log(WEIR_LOG_WARN, message); }
  void error(std::string_view message) const { log(WEIR_LOG_ERROR, message); }
  void log(std::string_view message) const { info(message); }

  /// Whether the work should stop: its timeout passed, its run was cancelled or the worker shuts
  /// down. Cheap: ask often.
  bool cancelled() const { return host_->cancelled(call_) != 0; }

  /// Throws weir::cancelled once the work should stop.
  void check() const {
    if (cancelled()) throw weir::cancelled();
  }

  std::string_view run_id() const { return fact("run_id"); }
  std::string_view flow() const { return fact("flow"); }
  std::string_view step() const { return fact("step"); }
  std::int64_t attempt() const { return number("attempt"); }  ///< counted from 1
  std::int64_t task_index() const {
    return number("task_index");
  }  ///< of a map's element, counted from 0

  /// The run's input, whatever the step is given. Throws json_error when it is no T.
  template <class T>
  T flow_input() const {
    return from_json<T>(fact("flow_input"));
  }

 private:
  void log(std::int32_t level, std::string_view message) const {
    host_->log(call_, level, {message.data(), message.size()});
  }
  std::string_view fact(std::string_view key) const {
    const weir_str found = host_->get(call_, {key.data(), key.size()});
    return {found.data, found.size};
  }
  std::int64_t number(std::string_view key) const {
    const std::string_view text = fact(key);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

  const weir_host* host_;
  weir_call* call_;
};

}  // namespace weir
