#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir {

/// Text that is not JSON, or a value of another type than the requested one. what() begins with the
/// place as a JSON pointer: "/items/3/sku: expected a string, got a number".
class json_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace sdk {

/// The place in a JSON value that is being read or written: a chain of places on the stack, made
/// into text only for an error.
class Place {
 public:
  Place() = default;
  Place member(std::string_view key) const { return {this, key, 0, true}; }
  Place element(std::size_t index) const { return {this, {}, index, false}; }

  /// RFC 6901: "" for the whole value, "/items/3/sku" within it.
  std::string pointer() const {
    if (above_ == nullptr) return {};
    std::string text = above_->pointer() + '/';
    if (!is_member_) return text + std::to_string(index_);
    for (const char c : key_) {
      if (c == '~')
        text += "~0";
      else if (c == '/')
        text += "~1";
      else
        text += c;
    }
    return text;
  }

  [[noreturn]] void refuse(std::string_view why) const {
    std::string text = pointer();
    if (!text.empty()) text += ": ";
    throw json_error(text.append(why));
  }

 private:
  Place(const Place* above, std::string_view key, std::size_t index, bool is_member)
      : above_(above), key_(key), index_(index), is_member_(is_member) {}

  const Place* above_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool is_member_ = false;
};

}  // namespace sdk
}  // namespace weir
