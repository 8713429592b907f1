#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "base/file_descriptor.hpp"

namespace weir {

/// What an isolated child tells without a word, so that it is known also after it died.
struct CallMarks {
  /// The number of the last call it began. Stored by the child (release); loaded by its parent
  /// (acquire) once it is gone: a call that had not begun is not charged.
  std::atomic<std::uint64_t> begun = 0;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// A page of memory that a parent and its child share.
class CallPage {
 public:
  /// A new one; nullopt when the system has no descriptor or memory for it.
  static std::optional<CallPage> make() noexcept;

  /// The one behind a descriptor that was inherited, which is closed.
  static std::optional<CallPage> open(FileDescriptor inherited) noexcept;

  CallPage(CallPage&& other) noexcept;
  CallPage& operator=(CallPage&&) = delete;
  ~CallPage();

  /// Of a new one, until it was given on.
  int fd() const noexcept { return memory_.fd(); }
  void close() noexcept { memory_.reset(); }

  CallMarks& marks() const noexcept { return *marks_; }

 private:
  CallPage(FileDescriptor memory, CallMarks* marks) noexcept
      : memory_(std::move(memory)), marks_(marks) {}

  FileDescriptor memory_;
  CallMarks* marks_;
};

}  // namespace weir
