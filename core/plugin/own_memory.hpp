#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace weir {

/// The memory of a loaded library itself: where its pointers may lead.  [any thread]
class OwnMemory {
 public:
  struct Segment {
    std::uintptr_t begin;
    std::uintptr_t end;
    bool readable;
    bool code;
  };

  OwnMemory() = default;
  explicit OwnMemory(std::vector<Segment> segments) : segments_(std::move(segments)) {}

  /// Whether `size` bytes at `address` are inside, and can be read.
  bool owns(const void* address, std::size_t size) const noexcept {
    const auto begin = reinterpret_cast<std::uintptr_t>(address);
    return std::ranges::any_of(segments_, [&](const Segment& segment) {
      return segment.readable && begin >= segment.begin && begin < segment.end &&
             size <= segment.end - begin;
    });
  }

  /// Whether `address` is in its code.
  bool owns_code(std::uintptr_t address) const noexcept {
    return std::ranges::any_of(segments_, [&](const Segment& segment) {
      return segment.code && address >= segment.begin && address < segment.end;
    });
  }

  const std::vector<Segment>& segments() const noexcept { return segments_; }

 private:
  std::vector<Segment> segments_;
};

}  // namespace weir
