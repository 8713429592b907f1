// Any memory as a library's, with a descriptor at its beginning: the walk never leaves it, and what
// it accepts can be followed to the end.
//
// An input is the size of a manifest (4 bytes, little-endian), the manifest, and the memory.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <sys/mman.h>

#include "fuzz/descriptor_image.hpp"
#include "plugin/descriptor.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define WEIR_FUZZ_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_FUZZ_POISON 1
#endif
#endif
#ifdef WEIR_FUZZ_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(address)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(address)
#endif

namespace {

using weir::fuzz::image_begin;
using weir::fuzz::image_bytes_max;
using weir::fuzz::memory_begin;

char* mapped() {
  static char* const memory = [] {
    void* const wanted = reinterpret_cast<void*>(memory_begin);
    void* const got = mmap(wanted, image_bytes_max, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got != wanted) std::abort();
    return static_cast<char*>(got);
  }();
  return memory;
}

// Pointers that an input has into itself.
void move_pointers(char* memory, std::size_t size) {
  for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= size; at += sizeof(std::uintptr_t)) {
    std::uintptr_t value = 0;
    std::memcpy(&value, memory + at, sizeof value);
    if (value < image_begin || value - image_begin > image_bytes_max) continue;
    value += memory_begin - image_begin;
    std::memcpy(memory + at, &value, sizeof value);
  }
}

void read_through(weir_str text, std::size_t& sum) {
  for (std::size_t i = 0; i < text.size; ++i) sum += static_cast<unsigned char>(text.data[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint32_t note_size = 0;
  if (size < sizeof note_size) return 0;
  std::memcpy(&note_size, data, sizeof note_size);
  const std::string_view rest(reinterpret_cast<const char*>(data) + sizeof note_size,
                              size - sizeof note_size);
  if (note_size > rest.size()) return 0;
  const std::string_view note = rest.substr(0, note_size);
  const std::string_view image = rest.substr(note_size);
  if (image.empty() || image.size() > image_bytes_max) return 0;
  const auto manifest = weir::Manifest::parse(note);
  if (!manifest) return 0;

  char* const memory = mapped();
  ASAN_UNPOISON_MEMORY_REGION(memory, image_bytes_max);
  std::memcpy(memory, image.data(), image.size());
  move_pointers(memory, image.size());
  ASAN_POISON_MEMORY_REGION(memory + image.size(), image_bytes_max - image.size());
  const weir::OwnMemory own({{memory_begin, memory_begin + image.size(), true, false},
                             {weir::fuzz::code_begin, weir::fuzz::code_end, false, true}});
  const auto plugin = weir::checked_descriptor(memory, own, *manifest, note);
  if (!plugin) return 0;

  std::size_t sum = 0;
  read_through((*plugin)->name, sum);
  read_through((*plugin)->manifest, sum);
  for (std::size_t i = 0; i < (*plugin)->flow_count; ++i) {
    const weir_flow& flow = weir::flow_at(**plugin, i);
    read_through(flow.slug, sum);
    for (std::size_t j = 0; j < flow.step_count; ++j) {
      const weir_step& step = weir::step_at(flow, j);
      read_through(step.slug, sum);
      if (!own.owns_code(reinterpret_cast<std::uintptr_t>(step.run))) std::abort();
    }
  }
  asm volatile("" : : "r"(sum));  // the reads are not to be left out
  return 0;
}
