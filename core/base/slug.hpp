#pragma once
#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir {

/// A name safe in SQL, URLs and file names (D1). Holding one proves it was checked.
class Slug {
 public:
  /// The CHECK in schemas/ has the same limit; a test compares them.
  static constexpr std::size_t bytes_max = 128;

  /// `^[A-Za-z_][A-Za-z0-9_]*$`, 1 to 128 bytes, not `run` in any case. Errors: invalid_definition,
  /// kind "bad_slug", naming `text` and what is wrong with it.
  static Result<Slug> parse(std::string_view text);

  std::string_view view() const noexcept { return text_; }
  const std::string& string() const noexcept { return text_; }

  /// Lower-case form: two slugs in one place must not have the same one (D1).
  std::string folded() const;

  friend auto operator<=>(const Slug&, const Slug&) = default;

 private:
  explicit Slug(std::string_view checked) : text_(checked) {}
  std::string text_;
};

/// A dotted name a flow is registered under, `shop.ProcessOrder` (D2). Holding one proves it was
/// checked.
class ModuleName {
 public:
  static constexpr std::size_t bytes_max = 255;

  /// Segments of the slug alphabet joined by dots, 1 to 255 bytes. Errors: invalid_definition, kind
  /// "bad_module_name".
  static Result<ModuleName> parse(std::string_view text);

  std::string_view view() const noexcept { return text_; }
  const std::string& string() const noexcept { return text_; }
  friend auto operator<=>(const ModuleName&, const ModuleName&) = default;

 private:
  explicit ModuleName(std::string_view checked) : text_(checked) {}
  std::string text_;
};

/// ASCII lower case; slugs have no other letters.
std::string folded(std::string_view text);

}  // namespace weir

template <>
struct std::hash<weir::Slug> {
  std::size_t operator()(const weir::Slug& slug) const noexcept {
    return std::hash<std::string_view>{}(slug.view());
  }
};
template <>
struct std::hash<weir::ModuleName> {
  std::size_t operator()(const weir::ModuleName& name) const noexcept {
    return std::hash<std::string_view>{}(name.view());
  }
};
