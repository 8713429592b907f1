#pragma once
#include <concepts>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace weir::postgres {

/// An array as PostgreSQL reads it: {1,2,NULL} or {"a \"quoted\" text",NULL}.
class ArrayLiteral {
 public:
  void add(std::integral auto number) { next() += std::to_string(number); }
  void add_text(std::string_view text);
  void add(Time time);
  void add_null() { next() += "NULL"; }

  /// The literal; the object may go on growing.
  std::string text() const { return items_ + '}'; }

 private:
  std::string& next() { return items_.size() > 1 ? items_ += ',' : items_; }
  std::string items_ = "{";
};

}  // namespace weir::postgres
