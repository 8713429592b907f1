/// Threads: loading is serialised by one mutex; what is loaded already waits for no other. A loaded
/// Library is immutable.
///
/// Invariant: the same bytes are loaded once (SharedHandles, by sha256), and stay until the process
/// ends: threads, thread-locals and exception objects of them may be anywhere, and nothing here
/// knows when the last one is gone.
#pragma once
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "plugin/own_memory.hpp"
#include "plugin/plugin_error.hpp"

namespace weir {

/// A shared library in this process, found to lie where it says.  [any thread]
class Library {
 public:
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Runs the library's constructors. `staged` is its private copy, absolute. Errors: noexec_mount,
  /// load_failed with the loader's words; stage `stage`, no path.
  static std::expected<std::shared_ptr<const Library>, PluginError> load(
      const std::filesystem::path& staged, const std::string& sha256);

  /// A symbol of its own; nullptr when there is none, or only in a library that it needs.
  const void* symbol(const char* name) const;

  const OwnMemory& memory() const noexcept { return memory_; }

 private:
  struct Handle;  // Boost.DLL's, seen by library.cpp alone

  explicit Library(std::unique_ptr<Handle> handle);

  std::unique_ptr<Handle> handle_;
  OwnMemory memory_;
};

}  // namespace weir
