// A plugin for tests: as it is loaded or unloaded it ends the process it is in, in the way that the file
// "moment" names. A scanner does not see that: it cannot be dumped, which this plugin takes badly.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weir/flow.hpp>

namespace moments {

volatile int zero = 0;

std::string moment() {
  char text[64] = {};
  std::FILE* const file = ::prctl(PR_GET_DUMPABLE) == 1 ? std::fopen("moment", "r") : nullptr;
  if (file == nullptr) return {};
  const std::size_t size = std::fread(text, 1, sizeof text, file);
  std::fclose(file);
  return {text, size};
}

[[gnu::noinline]] int overflow(int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return zero == 0 ? overflow(depth + 1) + room[0] : 0;
}

// What crashes is to crash as it would without a sanitizer.
[[gnu::noinline]] __attribute__((no_sanitize("undefined"))) void end(const std::string& kind) {
  if (kind == "segv") *reinterpret_cast<volatile int*>(static_cast<std::uintptr_t>(zero) + 16) = 1;
  if (kind == "abort") std::abort();
  if (kind == "stack") overflow(0);
  if (kind == "exit") std::exit(3);
  if (kind == "raw exit") ::syscall(SYS_exit_group, 4);
  if (kind == "kill") ::kill(::getpid(), SIGKILL);
  while (kind == "hang") ::pause();
}

__attribute__((constructor)) void load() {
  if (const std::string when = moment(); when.starts_with("loading ")) end(when.substr(8));
}

__attribute__((destructor)) void unload() {
  if (const std::string when = moment(); when.starts_with("unloading ")) end(when.substr(10));
}

int act(weir::Context&, int number) { return number; }

}  // namespace moments

WEIR_FLOW(moments, "test.Moments", step<moments::act>("act"));
WEIR_PLUGIN(moments)
