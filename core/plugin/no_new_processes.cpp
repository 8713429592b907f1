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
constexpr sock_filter return_action(std::uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// Runs the next instruction if the system call is `number`, else skips it.
constexpr sock_filter if_call(std::uint32_t number) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
}

}  // namespace

bool forbid_new_processes(NewProcess consequence) noexcept {
  if (audited_machine == 0) return false;
  const std::uint32_t denial = consequence == NewProcess::kills
                                   ? SECCOMP_RET_KILL_PROCESS
                                   : SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(EPERM);
  auto filter = std::to_array<sock_filter>({
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audited_machine, 1, 0),
      return_action(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
      // Calls of the x32 kind have the same machine but other numbers.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1),
      return_action(denial),
#if defined(SYS_fork)
      if_call(SYS_fork),
      return_action(denial),
      if_call(SYS_vfork),
      return_action(denial),
#endif
      if_call(SYS_execve),
      return_action(denial),
      if_call(SYS_execveat),
      return_action(denial),
      if_call(SYS_ptrace),
      return_action(denial),
      // Its flags are in memory, which no filter can read; the C library then uses clone.
      if_call(SYS_clone3),
      return_action(SECCOMP_RET_ERRNO | ENOSYS),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      load(offsetof(seccomp_data, args)),  // the flags' low half: both machines are little endian
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
      return_action(denial),
      return_action(SECCOMP_RET_ALLOW),
  });
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace weir
