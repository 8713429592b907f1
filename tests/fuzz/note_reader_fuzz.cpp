// Any bytes as a plugin file: the reader of the ELF frame, the note and the symbols answers, and
// never faults.
#include <cstddef>
#include <cstdint>
#include <string>

#include "plugin/elf_dynamic.hpp"
#include "plugin/elf_image.hpp"
#include "plugin/inspection.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const weir::TrustedFile file{.path = "fuzzed.so",
                               .bytes = {reinterpret_cast<const char*>(data), size},
                               .sha256 = std::string(64, '0')};
  // Also what inspection does not reach once it has refused.
  if (const auto image = weir::ElfImage::parse(file.bytes)) {
    static_cast<void>(image->notes("Weir", 1));
    static_cast<void>(weir::ElfDynamic::parse(*image));
  }
  static_cast<void>(weir::inspect_bytes(file));
  return 0;
}
