/// Threads: loading is serialised by LibraryReaper; what is loaded already waits for no other. A
/// loaded Library is immutable.
///
/// Invariant: the same bytes are loaded once, by sha256. Where the last holder lets go nothing is
/// closed: the reaper's thread does that, and never while the process exits.
#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "plugin/own_memory.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/staged_copy.hpp"

namespace weir {

/// A shared library in this process, found to lie where it says.  [any thread]
class Library {
 public:
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Runs the library's constructors, unless it is loaded. `staged` is its private copy, absolute,
  /// and stays held until the code is gone from memory.
  ///
  /// Lifetime: whoever holds it may run its code. The last one to let go, on any thread, only
  /// queues it for the reaper; loaded again before its turn comes, it never left. Threads and
  /// exceptions of the library's that are still about then are not waited for: nothing here knows
  /// of them.
  ///
  /// Errors: noexec_mount, load_failed with the loader's words; stage `stage`, no path.
  static std::expected<std::shared_ptr<const Library>, PluginError> load(const StagedCopy& staged,
                                                                         const std::string& sha256);

  /// A symbol of its own; nullptr when there is none, or only in a library that it needs.
  const void* symbol(const char* name) const;

  const OwnMemory& memory() const noexcept { return memory_; }
  const StagedCopy& staged() const noexcept { return staged_; }

  /// Where it begins in memory.
  std::uintptr_t base() const noexcept { return base_; }

 private:
  friend class LibraryReaper;
  struct Handle;  // Boost.DLL's, seen by library.cpp alone

  Library(std::unique_ptr<Handle> handle, StagedCopy staged);
  static std::expected<std::unique_ptr<Library>, PluginError> open(const StagedCopy& staged);

  // For the reaper, which serialises all four with open().
  void close();
  static bool is_loaded(const std::filesystem::path& staged);
  /// What kept a closed library may be over, but only a close looks for libraries that can go.
  static void close_again(const std::filesystem::path& staged);

  std::unique_ptr<Handle> handle_;
  StagedCopy staged_;
  std::uintptr_t base_ = 0;
  OwnMemory memory_;
};

}  // namespace weir
