#pragma once
#include <cstdint>

namespace weir::fuzz {

/// Where an input's memory stands while it is walked, always at the same place, so that pointers in
/// inputs keep their meaning. What lies beside it cannot be read.
inline constexpr std::uintptr_t image_begin = 0x6000'0000'0000;
inline constexpr std::uintptr_t image_bytes_max = 64 * 1024;

/// Addresses that count as code of the library; nothing is mapped there.
inline constexpr std::uintptr_t code_begin = 0x6100'0000'0000;
inline constexpr std::uintptr_t code_end = code_begin + 4096;

}  // namespace weir::fuzz
