#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

/// A place in code, as messages show it.
struct CodePlace {
  std::string function;      ///< demangled; of a long name the first 512 bytes
  std::uint64_t offset = 0;  ///< from its beginning
};

/// "charge(Card const&)+0x1c"
std::string to_string(const CodePlace& place);

/// The function at `offset` in the bytes of a shared library, from its symbol table, or from the
/// dynamic one when it was stripped. nullopt when neither has it. `bytes` may be anything.
/// [any thread]
std::optional<CodePlace> code_place(std::string_view bytes, std::uint64_t offset);

}  // namespace weir
