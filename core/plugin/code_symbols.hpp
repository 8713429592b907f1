#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

/// A place in code, as people write it.
struct CodePlace {
  std::string function;      ///< demangled
  std::uint64_t offset = 0;  ///< from its begin
};

/// "charge(Card const&)+0x1c"
std::string to_string(const CodePlace& place);

/// The function that stands `offset` bytes into the bytes of a shared library, by its symbol table,
/// or by the dynamic one when it was stripped. nullopt when neither knows. Survives any bytes.
/// [any thread]
std::optional<CodePlace> code_place(std::string_view bytes, std::uint64_t offset);

}  // namespace weir
