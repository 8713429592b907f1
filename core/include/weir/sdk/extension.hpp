#pragma once
#include <string_view>

#include <weir/abi/plugin.h>

namespace weir::sdk {

/// The functions of an extension of the plugin ABI, such as WEIR_ASYNC_V1; null: this host does not
/// have it.
template <class Table>
const Table* extension_of(const weir_host& host, std::string_view id) {
  return static_cast<const Table*>(host.extension(&host, {id.data(), id.size()}));
}

}  // namespace weir::sdk
