#include "isolated/restrictions.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weir {
namespace {

constexpr rlim_t files_max = 1024;

void lower(__rlimit_resource which, rlim_t to) noexcept {
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0) return;
  limit.rlim_max = std::min(limit.rlim_max, to);
  limit.rlim_cur = std::min(limit.rlim_cur, to);
  ::setrlimit(which, &limit);
}

#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
constexpr std::uint32_t x32_bit = 0x40000000;  // the numbers of another ABI of the same machine
#elif defined(__aarch64__)
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#endif

#if defined(__x86_64__) || defined(__aarch64__)

constexpr sock_filter load(std::uint32_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset);
}
constexpr sock_filter answer(std::uint32_t with) { return BPF_STMT(BPF_RET | BPF_K, with); }
constexpr sock_filter unless(std::uint32_t value) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

constexpr std::uint32_t refuse(std::uint32_t error) { return SECCOMP_RET_ERRNO | error; }

// Each pair reads: when the number is this one, answer so.
constexpr auto filter = std::to_array<sock_filter>({
    load(offsetof(seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, machine, 1, 0),
    answer(SECCOMP_RET_KILL_PROCESS),
    load(offsetof(seccomp_data, nr)),
#if defined(__x86_64__)
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, x32_bit, 0, 1),
    answer(refuse(ENOSYS)),
    unless(__NR_fork),
    answer(refuse(EPERM)),
    unless(__NR_vfork),
    answer(refuse(EPERM)),
#endif
    unless(__NR_execve),
    answer(refuse(EPERM)),
    unless(__NR_execveat),
    answer(refuse(EPERM)),
    unless(__NR_ptrace),
    answer(refuse(EPERM)),
    unless(__NR_clone3),  // its flags lie in memory: the C library takes clone instead
    answer(refuse(ENOSYS)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 1, 0),
    answer(SECCOMP_RET_ALLOW),
    load(offsetof(seccomp_data, args[0])),  // its low half: both machines are little endian
    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, CLONE_VM | CLONE_THREAD),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE_VM | CLONE_THREAD, 0, 1),
    answer(SECCOMP_RET_ALLOW),
    answer(refuse(EPERM)),
});

bool filter_system_calls() noexcept {
  sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                     .filter = const_cast<sock_filter*>(filter.data())};  // the kernel only reads
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

#else

bool filter_system_calls() noexcept { return false; }

#endif

}  // namespace

bool restrict_this_process(std::int64_t memory_bytes) noexcept {
  lower(RLIMIT_CORE, 0);
  lower(RLIMIT_NOFILE, files_max);
  if (memory_bytes > 0) lower(RLIMIT_AS, static_cast<rlim_t>(memory_bytes));
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && filter_system_calls();
}

}  // namespace weir
