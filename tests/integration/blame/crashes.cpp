// A plugin for tests: its step ends the process it runs in, in the way that its input names.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include <sys/syscall.h>
#include <unistd.h>

#include <weir/flow.hpp>

namespace crashes {

struct Card {
  int number;
};

volatile int zero = 0;
std::atomic<int> together = 0;

// Leaves as the kernel's out-of-memory killer makes it leave: no handler sees it.
void vanish() { ::kill(::getpid(), SIGKILL); }

// Crashes if it runs beside another one of its kind.
void act_together() {
  if (together.fetch_add(1) > 0) vanish();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  together.fetch_sub(1);
}

// What crashes is to crash as it would without a sanitizer.
__attribute__((noinline, no_sanitize("undefined"))) int charge(const Card& card) {
  return card.number + 1;
}

[[gnu::noinline]] int overflow(int depth) {
  volatile char room[4096];
  room[0] = static_cast<char>(depth);
  return zero == 0 ? overflow(depth + 1) + room[0] : 0;
}

// Both are frames of their own, also where a compiler could do without.
__attribute__((noinline, no_sanitize("undefined"))) int act(weir::Context& context,
                                                            const std::string& kind) {
  const auto* const nowhere = reinterpret_cast<const Card*>(static_cast<std::uintptr_t>(zero) + 16);
  if (kind == "segv") return 1 + charge(*nowhere);
  if (kind == "abort") std::abort();
  if (kind == "stack") return overflow(0);
  if (kind == "fpe") return 7 / zero;  // 1 / x is no division to gcc
  if (kind == "exit") std::exit(0);
  if (kind == "_exit") ::_exit(3);
  if (kind == "thread") std::thread([nowhere] { charge(*nowhere); }).join();
  if (kind == "thread stack") std::thread([] { overflow(0); }).join();
  if (kind == "kill") vanish();
  if (kind == "raw exit") ::syscall(SYS_exit_group, 3);
  if (kind == "together") act_together();
  if (kind == "long") {
    context.info("a long step begins");
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
  if (kind == "slow") std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return 7;
}

}  // namespace crashes

WEIR_FLOW(crashes, "test.Crashes", step<crashes::act>("act").max_attempts(2).base_delay(10ms));
WEIR_PLUGIN(crashes)
