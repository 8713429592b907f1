#pragma once
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

namespace weir {
namespace sdk {
class AsyncCall;
}

/// Thrown by a handler: the step fails for good, whatever attempts are left (F3). Any other
/// exception is an ordinary failure and is retried as the step's options say.
///
///     throw weir::permanent("no such sku");
///     throw weir::permanent("card_declined", "the bank declined the card");
class permanent : public std::runtime_error {
 public:
  explicit permanent(const std::string& message) : permanent("permanent", message) {}

  /// `code` is a short stable word for programs to compare.
  permanent(std::string code, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)) {}

  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// Thrown by a handler: the attempt failed, and the next one comes after `delay` instead of the
/// usual backoff (F3). A delay below a millisecond counts as a millisecond.
class retry_after : public std::runtime_error {
 public:
  retry_after(std::chrono::milliseconds delay, const std::string& message)
      : std::runtime_error(message), delay_(delay) {}

  std::chrono::milliseconds delay() const noexcept { return delay_; }

 private:
  std::chrono::milliseconds delay_;
};

/// Thrown by Context::resource: there is none, and every call that waited for it gets the same
/// error. An ordinary failure, retried as the step's options say, whatever the factory threw.
class resource_failed : public std::runtime_error {
 public:
  /// `code` is a short stable word: "exception", or what the factory gave weir::permanent.
  resource_failed(std::string code, const std::string& message)
      : std::runtime_error(message), code_(std::move(code)) {}

  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// Thrown by check, resource, settlement and sleep of Context alone, once the work should stop. Let it
/// leave the handler.
class cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }

 private:
  friend class Context;
  friend class sdk::AsyncCall;
  cancelled() = default;
};

}  // namespace weir
