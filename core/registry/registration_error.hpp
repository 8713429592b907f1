#pragma once
#include <stdexcept>
#include <utility>

#include "base/error.hpp"

namespace weir {

/// Thrown only by FlowRegistry::register_or_throw.
class RegistrationError : public std::runtime_error {
 public:
  explicit RegistrationError(Error error)
      : std::runtime_error(to_string(error)), error_(std::move(error)) {}
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

}  // namespace weir
