#pragma once
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"
#include "base/json.hpp"
#include "base/time.hpp"

namespace weir::postgres {

/// The types of elements, with their numbers in pg_type.
enum class ElementType : std::uint32_t {
  bigint = 20,
  smallint = 21,
  integer = 23,
  text = 25,
  timestamptz = 1184
};

/// The type that a call names: "bigint".
constexpr ElementType element_type(std::string_view name) {
  using enum ElementType;
  if (name == "bigint") return bigint;
  if (name == "smallint") return smallint;
  if (name == "int") return integer;
  if (name == "text") return text;
  if (name == "timestamptz") return timestamptz;
  throw "no element type of that name";
}

/// Builds an array as PostgreSQL sends and receives it in binary (array_recv): what is in it is
/// neither written as text nor parsed.
class BinaryArray {
 public:
  explicit BinaryArray(ElementType type);

  /// As the integer type of the elements. One that does not fit is refused by the database.
  void add(std::integral auto number) {
    WEIR_ASSERT(std::in_range<std::int64_t>(number));
    add_number(static_cast<std::int64_t>(number));
  }
  void add(Time time);
  void add(std::chrono::milliseconds span) { add_number(span.count()); }
  void add(const Json& json) { add_text(json.text()); }
  void add_text(std::string_view text);
  void add_null();

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

  /// Whether it has nothing but NULLs.
  bool is_null() const noexcept { return nulls_ == count_; }

  /// The whole array.
  std::string bytes() &&;

 private:
  void add_number(std::int64_t number);
  std::string& begin(std::size_t bytes);

  ElementType type_;
  std::uint32_t count_ = 0, nulls_ = 0;
  std::string bytes_;  // with room for the header at its beginning
};

}  // namespace weir::postgres
