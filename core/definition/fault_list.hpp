#pragma once
#include <cstddef>
#include <utility>

#include "base/assert.hpp"
#include "base/error.hpp"

namespace weir {

/// Collects faults, at most as many as a person fixes in one sitting. Faults beyond `reported_max`
/// are dropped, so that a hostile file costs neither memory nor time.
class FaultList {
 public:
  static constexpr std::size_t reported_max = 100;

  bool empty() const noexcept { return faults_.empty(); }
  bool full() const noexcept { return faults_.size() >= reported_max; }

  void add(Error fault) {
    if (!full()) faults_.push_back(std::move(fault));
  }

  /// An invalid_definition of that kind.
  void add(std::string kind, std::string message, std::string hint = {}) {
    add({.code = ErrorCode::invalid_definition,
         .kind = std::move(kind),
         .message = std::move(message),
         .hint = std::move(hint)});
  }

  /// For the error of an expected: there must be one.
  Faults take() && {
    WEIR_ASSERT(!faults_.empty());
    return std::move(faults_);
  }

 private:
  Faults faults_;
};

}  // namespace weir
