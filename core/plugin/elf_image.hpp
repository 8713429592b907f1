#pragma once
#include <cstdint>
#include <cstring>
#include <expected>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "plugin/plugin_error.hpp"

namespace weir {

/// The T at `offset` in `bytes`; nullopt when it is not wholly inside. ELF structures are read in
/// no other way.
template <class T>
  requires std::is_trivially_copyable_v<T>
std::optional<T> read_at(std::string_view bytes, std::uint64_t offset) noexcept {
  if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

/// The ELF frame of a shared library for this host, read from its bytes: header, segments, notes.
/// Every offset and length is checked against the bytes; nothing is mapped or run, and sections are
/// not needed (`strip -s` is fine). The bytes must outlive it.  [any thread]
class ElfImage {
 public:
  /// A PT_LOAD: part of the file at an address.
  struct Segment {
    std::uint64_t address;
    std::uint64_t memory_size;
    std::string_view bytes;  ///< the part in the file; the rest up to memory_size is zeros
  };

  /// Errors: not_elf, truncated, damaged, wrong_class, wrong_machine, not_shared; stage verify, no
  /// path.
  static std::expected<ElfImage, PluginError> parse(std::string_view bytes);

  /// The contents of every note of this name and type (see elf_notes()).
  std::vector<std::string_view> notes(std::string_view name, std::uint32_t type) const;

  /// The file's bytes from `address` to the end of its segment; empty when the file has none there.
  std::string_view from(std::uint64_t address) const noexcept;

  /// Whether loading it makes the stacks of all threads executable.
  bool executable_stack() const noexcept { return executable_stack_; }

  /// The dynamic section.
  std::string_view dynamic() const noexcept { return dynamic_; }

 private:
  ElfImage() = default;

  std::vector<Segment> segments_;
  std::vector<std::string_view> notes_;  // note segments
  std::string_view dynamic_;
  bool executable_stack_ = true;  // the default without a PT_GNU_STACK
};

}  // namespace weir
