#pragma once
#include <cstdint>

namespace weir::fuzz {

/// Where an input's memory stands as far as pointers in inputs know.
inline constexpr std::uintptr_t image_begin = 0x6000'0000'0000;

/// Where it really stands while it is walked, once those pointers were moved: nobody else wants to
/// be there, not a program, nor a sanitizer. What lies beside it cannot be read.
inline constexpr std::uintptr_t memory_begin = 0x5670'0000'0000;
inline constexpr std::uintptr_t image_bytes_max = 64 * 1024;

/// Addresses that count as code of the library; nothing is mapped there.
inline constexpr std::uintptr_t code_begin = 0x6100'0000'0000;
inline constexpr std::uintptr_t code_end = code_begin + 4096;

}  // namespace weir::fuzz
