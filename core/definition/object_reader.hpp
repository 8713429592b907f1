#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "definition/fault_list.hpp"

namespace weir {

/// One object of a manifest, read key by key. A value that does not fit becomes a bad_manifest in
/// the list, with its JSON pointer, and is treated as absent. The object and the list must outlive
/// the reader.
class ObjectReader {
 public:
  ObjectReader(const boost::json::object& object, std::string pointer, FaultList& faults)
      : object_(&object), pointer_(std::move(pointer)), faults_(&faults) {}

  enum class Presence { required, optional };
  using enum Presence;

  /// nullptr when absent.
  const boost::json::value* member(std::string_view key, Presence presence);

  std::optional<std::string> string(std::string_view key, Presence presence);

  /// Text that is safe in a message: no control characters, at most `bytes_max` bytes, not empty
  /// if required. "" when absent.
  std::string line(std::string_view key, Presence presence, std::size_t bytes_max);

  std::optional<std::int64_t> whole_number(std::string_view key, Presence presence);

  /// Readers of a required array of objects, which must have `count_min` to `count_max` elements.
  std::vector<ObjectReader> objects(std::string_view key, std::size_t count_min = 0,
                                    std::size_t count_max = static_cast<std::size_t>(-1));

  /// Empty when absent.
  std::vector<std::string> strings(std::string_view key);

  /// Call this last: every key that has not been read by then is a fault, with the nearest known
  /// key as its hint.
  void refuse_unknown_keys();

  /// The pointer of a member, `/flows/0/slug`.
  std::string at(std::string_view key) const;

  void fault(const std::string& place, std::string_view what, std::string hint = {});

 private:
  const boost::json::array* array(std::string_view key, Presence presence);
  void wrong_type(const std::string& place, std::string_view wanted, const boost::json::value& got);
  std::string place() const { return pointer_.empty() ? "manifest" : pointer_; }

  const boost::json::object* object_;
  std::string pointer_;
  FaultList* faults_;
  std::vector<std::string> known_;
};

/// The type of a value with its article, for messages: "an array", "a number".
std::string_view described(const boost::json::value& value);

}  // namespace weir
