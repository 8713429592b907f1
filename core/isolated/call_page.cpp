#include "isolated/call_page.hpp"

#include <new>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

namespace weir {
namespace {

constexpr std::size_t page_bytes = 4096;

void* mapped(int fd) noexcept {
  void* const at = ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? nullptr : at;
}

}  // namespace

std::optional<CallPage> CallPage::make() noexcept {
  FileDescriptor memory(::memfd_create("weir-call", MFD_CLOEXEC));
  if (!memory || ::ftruncate(memory.fd(), page_bytes) != 0) return std::nullopt;
  void* const at = mapped(memory.fd());
  if (at == nullptr) return std::nullopt;
  return CallPage(std::move(memory), new (at) CallMarks);
}

std::optional<CallPage> CallPage::open(FileDescriptor inherited) noexcept {
  void* const at = mapped(inherited.fd());
  if (at == nullptr) return std::nullopt;
  return CallPage({}, static_cast<CallMarks*>(at));
}

CallPage::CallPage(CallPage&& other) noexcept
    : memory_(std::move(other.memory_)), marks_(std::exchange(other.marks_, nullptr)) {}

CallPage::~CallPage() {
  if (marks_ != nullptr) ::munmap(marks_, page_bytes);
}

}  // namespace weir
