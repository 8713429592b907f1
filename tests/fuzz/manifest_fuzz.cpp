// Any bytes as a manifest: it is refused with its faults, or gives definitions that keep D1 to D5.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "definition/flow_definition.hpp"
#include "definition/manifest.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const weir::FlowDefinition& flow) {
  require(flow.steps().size() <= weir::FlowDefinition::steps_max);
  for (std::size_t i = 0; i < flow.steps().size(); ++i) {
    require(flow.find(flow.steps()[i].slug.view()) == i);
    for (const auto dependency : flow.steps()[i].depends_on) require(dependency < i);
  }
  require(flow.fingerprint().size() == 64);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto manifest =
      weir::Manifest::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!manifest) {
    require(!manifest.error().empty());
    return 0;
  }
  for (const weir::FlowDraft& draft : manifest->flows) {
    const auto flow = weir::FlowDefinition::build(draft);
    if (flow)
      check(*flow);
    else
      require(!flow.error().empty());
  }
  return 0;
}
