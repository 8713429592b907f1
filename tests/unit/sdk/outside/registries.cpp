// A user's own use of the registries, tested with lockstep. Ends with 0 when what must hold holds.
#include <cstdio>
#include <string>

#include <weir/registry/keyed_registry.hpp>
#include <weir/registry/shared_handles.hpp>
#include <weir/supervisor.hpp>
#include <weir/testing/lockstep.hpp>

using weir::lockstep::Sync;

int main() {
  const weir::lockstep::Report report = weir::lockstep::explore({.schedules = 500}, [] {
    weir::KeyedRegistry<std::string, int, Sync> names;
    int registered = 0;
    const auto enter = [&](const char* who) {
      auto owner = names.owner(who);
      if (names.register_(owner, "leader", 1)) ++registered;
      Sync::yield();
    };
    Sync::Thread a([&] { enter("a"); });
    Sync::Thread b([&] { enter("b"); });
    a.join();
    b.join();
    weir::lockstep::require(registered > 0 && names.count() == 0, "nobody led, or a leader stayed");
  });
  std::puts(to_string(report).c_str());
  return report.failure ? 1 : 0;
}
