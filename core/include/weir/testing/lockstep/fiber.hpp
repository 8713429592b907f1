/// A separate stack to run on, and the switch between two of them.
///
/// Threads: fibers belong to the thread that made them.
#pragma once
#include <array>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <new>

#include <boost/context/detail/fcontext.hpp>
#include <cxxabi.h>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEIR_FIBERS_UNDER_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WEIR_FIBERS_UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WEIR_FIBERS_UNDER_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WEIR_FIBERS_UNDER_TSAN 1
#endif

#ifdef WEIR_FIBERS_UNDER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef WEIR_FIBERS_UNDER_TSAN
extern "C" {
void* __tsan_get_current_fiber(void);
void* __tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void* fiber);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}
#endif

namespace weir::lockstep {

class Fiber {
 public:
  using Entry = void (*)(void* argument);

  static constexpr std::size_t stack_bytes = std::size_t{256} * 1024;

  /// The stack on which the calling thread runs already.
  struct OfThisThread {};
  explicit Fiber(OfThisThread) {
#ifdef WEIR_FIBERS_UNDER_TSAN
    tsan_ = __tsan_get_current_fiber();
#endif
  }

  /// A new stack, with a guard page below it. Throws std::bad_alloc.
  Fiber() {
    void* const memory = ::mmap(nullptr, stack_bytes + guard_bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    memory_ = static_cast<std::byte*>(memory);
    ::mprotect(memory_, guard_bytes, PROT_NONE);
    bottom_ = memory_ + guard_bytes;
    size_ = stack_bytes;
  }
  ~Fiber() {
    if (memory_ == nullptr) return;
#ifdef WEIR_FIBERS_UNDER_TSAN
    if (tsan_ != nullptr) __tsan_destroy_fiber(tsan_);
#endif
    ::munmap(memory_, stack_bytes + guard_bytes);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Makes the next switch to it begin at `entry`, which must never return. What was on its stack
  /// is dropped, not destroyed.
  void start_at(Entry entry, void* argument) {
#ifdef WEIR_FIBERS_UNDER_ASAN
    ASAN_UNPOISON_MEMORY_REGION(bottom_, size_);
    fake_stack_ = nullptr;
#endif
#ifdef WEIR_FIBERS_UNDER_TSAN
    // TSan remembers the calls that never returned, and has room for some ten thousand of them.
    if (tsan_ == nullptr || ++starts_ % 256 == 0) {
      if (tsan_ != nullptr) __tsan_destroy_fiber(tsan_);
      tsan_ = __tsan_create_fiber(0);
    }
#endif
    entry_ = entry;
    argument_ = argument;
    exceptions_.fill(std::byte{});
    context_ = boost::context::detail::make_fcontext(bottom_ + size_, size_, &begin);
  }

  /// Leaves this fiber, which is the running one, for another. Returns when a fiber switches back.
  /// With `for_good`, none will.
  void switch_to(Fiber& next, bool for_good = false) {
    assert(&next != this && next.context_ != nullptr);  // started, or left before
    void* const exceptions = abi::__cxa_get_globals();
    std::memcpy(exceptions_.data(), exceptions, exceptions_.size());
    std::memcpy(exceptions, next.exceptions_.data(), exceptions_.size());
    next.left_ = this;
#ifdef WEIR_FIBERS_UNDER_ASAN
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, next.bottom_, next.size_);
#else
    static_cast<void>(for_good);
#endif
#ifdef WEIR_FIBERS_UNDER_TSAN
    __tsan_switch_to_fiber(next.tsan_, 0);
#endif
    arrived(boost::context::detail::jump_fcontext(next.context_, &next));
  }

 private:
  static constexpr std::size_t guard_bytes = 4096;

  static void begin(boost::context::detail::transfer_t from) {
    auto* const self = static_cast<Fiber*>(from.data);
    self->arrived(from);
    self->entry_(self->argument_);
  }

  void arrived(boost::context::detail::transfer_t from) {
#ifdef WEIR_FIBERS_UNDER_ASAN
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(fake_stack_, &bottom, &size);
    if (left_->memory_ == nullptr) {  // of the thread's own stack the bounds are not known
      left_->bottom_ = static_cast<std::byte*>(const_cast<void*>(bottom));
      left_->size_ = size;
    }
#endif
    left_->context_ = from.fctx;
  }

  boost::context::detail::fcontext_t context_ = nullptr;
  Fiber* left_ = nullptr;  // the fiber that the running one was entered from
  // The C++ runtime's data about a thread's exceptions in flight: a pointer and a number.
  std::array<std::byte, 2 * sizeof(void*)> exceptions_{};
  Entry entry_ = nullptr;
  void* argument_ = nullptr;
  std::byte* memory_ = nullptr;
  std::byte* bottom_ = nullptr;
  std::size_t size_ = 0;
#ifdef WEIR_FIBERS_UNDER_ASAN
  void* fake_stack_ = nullptr;
#endif
#ifdef WEIR_FIBERS_UNDER_TSAN
  void* tsan_ = nullptr;
  std::size_t starts_ = 0;
#endif
};

/// While it lives, the leak sanitizer ignores what is allocated: a schedule that failed is left
/// where it was, with everything its tasks held.
class LeaksIgnored {
 public:
#ifdef WEIR_FIBERS_UNDER_ASAN
  LeaksIgnored() { __lsan_disable(); }
  ~LeaksIgnored() { __lsan_enable(); }
#else
  LeaksIgnored() {}   // not defaulted, so that no warning says that a variable of it is unused
  ~LeaksIgnored() {}  // not defaulted, for the same reason
#endif
  LeaksIgnored(const LeaksIgnored&) = delete;
  LeaksIgnored& operator=(const LeaksIgnored&) = delete;
};

}  // namespace weir::lockstep
