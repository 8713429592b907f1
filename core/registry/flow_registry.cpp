#include "registry/flow_registry.hpp"

#include "registry/impl/flow_registry.hpp"

namespace weir {

template class BasicFlowRegistry<StdSync>;

}  // namespace weir
