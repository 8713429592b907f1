/// Threads: on_fault runs on the thread that crashes, everything else on any thread. `crash_page`
/// and `notify_socket` are set before the first handler is installed.
#include "step/fault_handler.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "base/assert.hpp"

namespace weir {
namespace {

using flight::CrashRecord;
using flight::Frame;
using flight::Page;

// Nothing below this line may allocate, lock or throw: it runs in a process that is broken.

constexpr std::array signals = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
std::array<struct sigaction, signals.size()> actions_before{};
// Stored with release once everything else is set; loaded with acquire by the thread that crashes.
std::atomic<Page*> crash_page = nullptr;
int notify_socket = -1;

// The page, if it describes this process; null in a process that was forked from that one.
Page* own_page() noexcept {
  Page* const page = crash_page.load(std::memory_order_acquire);
  return page != nullptr && page->pid == ::getpid() ? page : nullptr;
}

std::uint64_t pc_of(const ucontext_t& context) noexcept {
#if defined(__x86_64__)
  return static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.pc;
#else
  (void)context;
  return 0;
#endif
}

struct Walk {
  CrashRecord& crash;
  std::uint64_t begin;  // the first frame to record; those before it are the handler's own
  bool begun;
};

_Unwind_Reason_Code record_frame(_Unwind_Context* context, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  int before_instruction = 0;
  const std::uint64_t ip = _Unwind_GetIPInfo(context, &before_instruction);
  if (ip == 0) return _URC_END_OF_STACK;
  walk.begun = walk.begun || ip == walk.begin;
  if (!walk.begun) return _URC_NO_REASON;
  if (walk.crash.frame_count == CrashRecord::frames_max) return _URC_END_OF_STACK;
  // A return address may already belong to the next function: use the call before it.
  walk.crash.frames[walk.crash.frame_count++] = {
      .address = before_instruction != 0 ? ip : ip - 1, .offset = 0, .file = -1};
  return _URC_NO_REASON;
}

void record_frames(CrashRecord& crash, std::uint64_t begin) noexcept {
  Walk walk{crash, begin, begin == 0};
  _Unwind_Backtrace(record_frame, &walk);
  if (crash.frame_count == 0 && crash.pc != 0)  // after a wild jump there is no stack to unwind
    crash.frames[crash.frame_count++] = {.address = crash.pc, .offset = 0, .file = -1};
}

// Takes a line of /proc/self/maps, "7f00-7f10 r-xp 00001000 00:01 77   /path", and sets file and
// offset of the frames within that range.
void locate_frames(CrashRecord& crash, const char* line, const char* end) noexcept {
  const auto number = [&](char stop) {
    std::uint64_t value = 0;
    for (; line < end && *line != stop; ++line) {
      const char c = *line;
      value = value * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (line < end) ++line;
    return value;
  };
  const std::uint64_t first = number('-'), last = number(' ');
  if (end - line < 5 || line[2] != 'x') return;
  line += 5;
  const std::uint64_t offset = number(' ');
  while (line < end && *line != '/') ++line;
  if (line == end) return;
  std::int32_t file = -1;
  for (std::uint32_t i = 0; i < crash.frame_count; ++i) {
    Frame& frame = crash.frames[i];
    if (frame.address < first || frame.address >= last) continue;
    if (file < 0) {
      if (crash.file_count == CrashRecord::files_max) return;
      auto& path = crash.files[crash.file_count];
      const auto size = static_cast<std::size_t>(end - line);
      if (size >= path.size()) return;
      std::memcpy(path.data(), line, size);
      file = static_cast<std::int32_t>(crash.file_count++);
    }
    frame.file = file;
    frame.offset = frame.address - first + offset;
  }
}

void locate_frames(CrashRecord& crash) noexcept {
  static std::array<char, 16 * 1024> text;
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return;
  std::size_t size = 0;
  for (;;) {
    const ssize_t count = ::read(maps, text.data() + size, text.size() - size);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
    const char* line = text.data();
    const char* const all = text.data() + size;
    while (const void* const found =
               std::memchr(line, '\n', static_cast<std::size_t>(all - line))) {
      const char* const end = static_cast<const char*>(found);
      locate_frames(crash, line, end);
      line = end + 1;
    }
    size = static_cast<std::size_t>(all - line);
    std::memmove(text.data(), line, size);
    if (size == text.size()) size = 0;  // no path is that long
  }
  ::close(maps);
}

// True if this thread is the one whose crash is recorded; its seat is then recorded too.
bool claim_crash_record(Page& page) noexcept {
  std::int32_t none = 0;
  if (!page.crash.thread.compare_exchange_strong(none, FlightRecorder::this_thread(),
                                                 std::memory_order_acq_rel))
    return false;
  page.crash.seat = FlightRecorder::seat_in_call(page);
  return true;
}

void notify() noexcept {
  constexpr std::array<char, 8> word = {'c', 'r', 'a', 's', 'h', 'i', 'n', 'g'};
  if (notify_socket >= 0)
    ::send(notify_socket, word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void restore(int signal) noexcept {
  for (std::size_t i = 0; i < signals.size(); ++i)
    if (signals[i] == signal) ::sigaction(signal, &actions_before[i], nullptr);
}

void wait_for_death() noexcept {
  for (int seconds = 0; seconds < 10; ++seconds) ::sleep(1);
}

void on_fault(int signal, siginfo_t* info, void* context) {
  if (Page* const page = own_page()) {
    CrashRecord& crash = page->crash;
    if (claim_crash_record(*page)) {
      crash.signal = signal;
      crash.code = info->si_code;
      const bool is_sent = info->si_code <= 0 && info->si_code != SI_TIMER;
      crash.sender = is_sent ? info->si_pid : 0;
      crash.address = reinterpret_cast<std::uint64_t>(info->si_addr);
      crash.pc = pc_of(*static_cast<const ucontext_t*>(context));
      notify();
      record_frames(crash, crash.pc);
      locate_frames(crash);
    } else if (crash.thread.load(std::memory_order_acquire) != FlightRecorder::this_thread()) {
      wait_for_death();  // another thread's fault is still being recorded, and ends the process
    }
  }
  restore(signal);
  // A fault that the processor raised is raised again when we return.
  const bool again = info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS ||
                                           signal == SIGILL || signal == SIGFPE);
  if (!again) ::syscall(SYS_tgkill, ::getpid(), FlightRecorder::this_thread(), signal);
}

// Whether this thread runs code of a plugin in a process that is recorded.
bool runs_plugin() noexcept {
  Page* const page = own_page();
  return page != nullptr && FlightRecorder::runs_plugin(*page);
}

// Records an exit() or the like, if a plugin calls it.
void record_exit(int status) noexcept {
  Page* const page = own_page();
  if (!runs_plugin() || !claim_crash_record(*page)) return;
  page->crash.signal = 0;
  page->crash.code = status;
  notify();
  record_frames(page->crash, 0);
  locate_frames(page->crash);
}

[[noreturn]] void end_now(int status) noexcept {
  for (;;) ::syscall(SYS_exit_group, status);
}

_Unwind_Reason_Code stop_unwinding(_Unwind_Context*, void*) { return _URC_END_OF_STACK; }

constexpr std::size_t stack_bytes = std::size_t{128} * 1024, guard_bytes = std::size_t{64} * 1024;

}  // namespace

void install_fault_handler(const FlightRecorder& recorder, int notify) {
  WEIR_ASSERT(crash_page.load(std::memory_order_relaxed) == nullptr);
  notify_socket = notify;
  _Unwind_Backtrace(stop_unwinding,
                    nullptr);  // so that it loads and allocates now, not in a handler
  crash_page.store(&recorder.page(), std::memory_order_release);
  struct sigaction action{};
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  for (std::size_t i = 0; i < signals.size(); ++i)
    ::sigaction(signals[i], &action, &actions_before[i]);
}

FaultStack::FaultStack() noexcept {
  stack_t old{};
  if (::sigaltstack(nullptr, &old) != 0 || (old.ss_flags & SS_DISABLE) == 0) return;  // it has one
  void* const memory = ::mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;
  ::mprotect(memory, guard_bytes, PROT_NONE);
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(memory) + guard_bytes;
  stack.ss_size = stack_bytes;
  if (::sigaltstack(&stack, nullptr) == 0)
    memory_ = memory;
  else
    ::munmap(memory, guard_bytes + stack_bytes);
}

FaultStack::~FaultStack() {
  if (memory_ == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(memory_, guard_bytes + stack_bytes);
}

}  // namespace weir

// A plugin that calls one of these is linked to the program's own definition. When it does so in a
// step, or as it is loaded or unloaded, they end the process at once, so that no destructor runs
// beside threads that still work.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the names are libc's
__attribute__((noreturn)) void _exit(int status) {
  weir::record_exit(status);
  weir::end_now(status);
}

__attribute__((noreturn)) void _Exit(int status) noexcept {
  weir::record_exit(status);
  weir::end_now(status);
}

__attribute__((noreturn)) void exit(int status) noexcept {
  if (weir::runs_plugin()) _exit(status);
  using Exit = void (*)(int);
  reinterpret_cast<Exit>(::dlsym(RTLD_NEXT, "exit"))(status);
  weir::end_now(status);
}

__attribute__((noreturn)) void quick_exit(int status) noexcept {
  if (weir::runs_plugin()) _exit(status);
  using Exit = void (*)(int);
  reinterpret_cast<Exit>(::dlsym(RTLD_NEXT, "quick_exit"))(status);
  weir::end_now(status);
}
// NOLINTEND(bugprone-reserved-identifier)
}
