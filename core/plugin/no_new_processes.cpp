#include "plugin/no_new_processes.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

namespace weir {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t audited_machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t audited_machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t audited_machine = 0;
#endif

constexpr sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
constexpr sock_filter give(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }

// Runs the next instruction if the system call is `number`, else skips it.
constexpr sock_filter when(std::uint32_t number) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
}

}  // namespace

bool forbid_new_processes(NewProcess who_does) noexcept {
  if (audited_machine == 0) return false;
  const std::uint32_t denial = who_does == NewProcess::kills
                                   ? SECCOMP_RET_KILL_PROCESS
                                   : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(EPERM);
  auto filter = std::to_array<sock_filter>({
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audited_machine, 1, 0),
      give(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
      // Calls of the x32 kind have the same machine but other numbers.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1),
      give(denial),
#if defined(SYS_fork)
      when(SYS_fork),
      give(denial),
      when(SYS_vfork),
      give(denial),
#endif
      when(SYS_execve),
      give(denial),
      when(SYS_execveat),
      give(denial),
      when(SYS_ptrace),
      give(denial),
      // Its flags are in memory, which no filter can read; the C library then uses clone.
      when(SYS_clone3),
      give(SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      load(offsetof(seccomp_data, args)),  // the flags' low half: both machines are little endian
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
      give(denial),
      give(SECCOMP_RET_ALLOW),
  });
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace weir
