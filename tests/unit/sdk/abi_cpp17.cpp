// The ABI's headers alone, in C++17. Compiling this is the test.
#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>

static_assert(sizeof(weir_plugin) == 96);
static_assert(WEIR_ABI_MAGIC == 0x314E474C50524957);
