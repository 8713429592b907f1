#pragma once
#include <array>
#include <string_view>

#include <weir/abi/async.h>
#include <weir/abi/resources.h>
#include <weir/abi/settle.h>

namespace weir {

/// What weir_host.extension() of this program has, by name: a plugin may require these.
inline constexpr std::array<std::string_view, 3> host_extensions = {WEIR_RESOURCES_V1,
                                                                    WEIR_SETTLE_V1, WEIR_ASYNC_V1};

}  // namespace weir
