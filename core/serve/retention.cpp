#include "serve/retention.hpp"

namespace weir {

Retention retention_of(const Config& config) {
  Retention retention{.age = config.retention.age, .flows = {}};
  for (const auto& [slug, flow] : config.flows)
    if (flow.retention) retention.flows.emplace(slug.string(), flow.retention->age);
  return retention;
}

}  // namespace weir
