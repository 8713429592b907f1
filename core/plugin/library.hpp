/// Threads: loading is serialised by LibraryReaper; a library that is loaded already is returned
/// without waiting. A loaded Library is immutable.
///
/// Invariant: the same bytes are loaded once, by sha256. Releasing the last hold closes nothing:
/// only the reaper's thread does, and never while the process exits.
#pragma once
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "plugin/own_memory.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/staged_copy.hpp"

namespace weir {

/// Code of a library that runs outside of all calls.
enum class LibraryCode { constructors, destructors };

/// A shared library in this process, and the memory it occupies.  [any thread]
class Library {
 public:
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Loads the library, which runs its constructors, unless it is loaded. `staged` is its private
  /// copy, absolute, and stays held until the code is gone from memory.
  ///
  /// Lifetime: a holder may run its code. The last release, on any thread, only queues it for the
  /// reaper; if it is loaded again before it is closed, it stays. Threads and exceptions of the
  /// library that still exist then are not waited for: nothing here knows of them.
  ///
  /// Errors: noexec_mount, load_failed with the loader's words; stage `stage`, no path.
  static std::expected<std::shared_ptr<const Library>, PluginError> load(const StagedCopy& staged,
                                                                         const std::string& sha256);

  /// What is told of code that runs because a library is loaded or unloaded. The callbacks are called
  /// by the thread that does so, one pair at a time; they must not throw.
  struct CodeObserver {
    /// Its constructors or destructors begin; `copy` is its private copy.
    std::function<void(LibraryCode code, const std::filesystem::path& copy)> begins;
    std::function<void()> ended;
  };

  /// Sets the observer of this process; once, before anything is loaded.
  static void observe_code(CodeObserver observer);

  /// A symbol in its own memory; nullptr when there is none, or only in a library that it needs.
  const void* symbol(const char* name) const;

  const OwnMemory& memory() const noexcept { return memory_; }
  const StagedCopy& staged() const noexcept { return staged_; }

  /// The address where it begins.
  std::uintptr_t base() const noexcept { return base_; }

 private:
  friend class LibraryReaper;
  struct Handle;  // of Boost.DLL, which only library.cpp includes

  Library(std::unique_ptr<Handle> handle, StagedCopy staged);
  static std::expected<std::unique_ptr<Library>, PluginError> open(const StagedCopy& staged);

  // For the reaper, which serialises these four.
  void close();
  static bool is_loaded(const std::filesystem::path& staged);
  /// Gives the loader a chance to unmap a closed library: the reason that kept it may be over, but
  /// the loader checks for that only when something is closed.
  static void retry_unmap(const std::filesystem::path& staged);

  std::unique_ptr<Handle> handle_;
  StagedCopy staged_;
  std::uintptr_t base_ = 0;
  OwnMemory memory_;
};

}  // namespace weir
