#include "handlers.hpp"

namespace outside {
WEIR_FLOW(basket, "outside.Basket", step<price>("price"))
WEIR_PLUGIN(basket)
}  // namespace outside
