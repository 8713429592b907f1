#include "isolated/restrictions.hpp"

#include <algorithm>

#include <sys/resource.h>

#include "plugin/no_new_processes.hpp"

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

}  // namespace

bool restrict_this_process(std::int64_t memory_bytes) noexcept {
  lower(RLIMIT_CORE, 0);
  lower(RLIMIT_NOFILE, files_max);
  // Not RLIMIT_AS, which counts code, files and address space that is only reserved as well.
  if (memory_bytes > 0) lower(RLIMIT_DATA, static_cast<rlim_t>(memory_bytes));
  return forbid_new_processes(NewProcess::fails);
}

}  // namespace weir
