// Steps with outputs of any size, and flows with child runs.
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>

#include <weir/flow.hpp>

namespace {

using namespace std::chrono_literals;

std::string chunk(weir::Context&, std::size_t bytes) { return std::string(bytes, 'x'); }

int until(weir::Context& context, const std::string& file) {
  for (; !std::filesystem::exists(file); std::this_thread::sleep_for(10ms)) context.check();
  return 1;
}

int small(weir::Context&) { return 2; }

WEIR_FLOW(chunks, "test.Chunks", map<chunk>("chunk"));
WEIR_FLOW(held, "test.Held", step<until>("wait").timeout(30min));
WEIR_FLOW(small_flow, "test.Small", step<small>("act"));
WEIR_FLOW(family, "test.Family", flow("a").runs("small_flow"), flow("b").runs("small_flow"),
          flow("c").runs("small_flow"));
WEIR_FLOW(guided, "test.Guided", step<until>("wait").timeout(30min),
          flow("child").runs("small_flow").over("wait"));

}  // namespace

WEIR_PLUGIN(chunks, held, small_flow, family, guided)
