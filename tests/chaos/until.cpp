// Steps that run until a file exists, whatever their stop token says or as it says, one that is done
// at once, and one that crashes.
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <weir/flow.hpp>

namespace {

using namespace std::chrono_literals;

struct Until {
  std::string file;
};
WEIR_JSON(Until, file)

constexpr auto moment = std::chrono::milliseconds(10);

int deaf(weir::Context& context, const Until& until) {
  context.log("begun");
  while (!std::filesystem::exists(until.file)) std::this_thread::sleep_for(moment);
  return 1;
}

int sleeper(weir::Context& context, const Until& until) {
  for (; !std::filesystem::exists(until.file); std::this_thread::sleep_for(moment)) context.check();
  return 2;
}

int quick(weir::Context&) { return 3; }

int crash(weir::Context&) { std::abort(); }

WEIR_FLOW(deaf, "test.Deaf", step<deaf>("wait").timeout(30min));
WEIR_FLOW(sleeper, "test.Sleeper", step<sleeper>("wait").timeout(30min));
WEIR_FLOW(quick, "test.Quick", step<quick>("act"));
WEIR_FLOW(crash, "test.Crash", step<crash>("act").max_attempts(1));

}  // namespace

WEIR_PLUGIN(deaf, sleeper, quick, crash)
