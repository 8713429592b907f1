#pragma once
#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/json.hpp"
#include "base/time.hpp"

namespace weir::postgres {

/// Builds an array in PostgreSQL's input syntax: {1,2,NULL} or {"a \"quoted\" text",NULL}.
class ArrayLiteral {
 public:
  void add(std::integral auto number) { next() += std::to_string(number); }
  void add(Time time);
  void add(std::chrono::milliseconds span) { add(span.count()); }
  void add(const Json& json) { add_text(json.text()); }
  void add_text(std::string_view text);
  void add_null() { next() += "NULL"; }

  /// As the number by which the enumeration is stored.
  template <class Item>
    requires std::is_enum_v<Item>
  void add(Item item) {
    add(static_cast<std::underlying_type_t<Item>>(item));
  }

  template <class Item>
  void add(const std::optional<Item>& item) {
    if (item)
      add(*item);
    else
      add_null();
  }

  /// The literal; items may still be added afterwards.
  std::string text() const { return items_ + '}'; }

 private:
  std::string& next() { return items_.size() > 1 ? items_ += ',' : items_; }
  std::string items_ = "{";
};

/// The literal of all `items`: numbers or texts.
template <class Items>
std::string array_of(const Items& items) {
  ArrayLiteral array;
  for (const auto& item : items)
    if constexpr (std::integral<typename Items::value_type>)
      array.add(item);
    else
      array.add_text(item);
  return array.text();
}

}  // namespace weir::postgres
