#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include <weir/abi/plugin.h>

#include "definition/manifest.hpp"
#include "plugin/own_memory.hpp"
#include "plugin/plugin_error.hpp"

namespace weir {

/// Reads what begins a weir_plugin and needs no relocation: magic, major, sizes, counts. `bytes`
/// begin at the definition symbol and may be any, of any length. Errors: bad_magic, abi_major,
/// bad_descriptor; stage manifest, no path.
std::optional<PluginError> header_fault(std::string_view bytes);

/// The descriptor at `symbol`, once all of it is proved: every pointer leads into the library's own
/// memory, every `run` into its code (of a wait or flow step it is null), sizes and counts are
/// possible, and it tells the same as the manifest, whose bytes `note` are. Then flows and steps
/// stand in the manifest's order. `symbol` and that memory may hold anything.
///
/// Errors: symbol_not_in_this_object, those of header_fault, bad_descriptor, manifest_mismatch;
/// stage `stage`, no path.
std::expected<const weir_plugin*, PluginError> checked_descriptor(const void* symbol,
                                                                  const OwnMemory& memory,
                                                                  const Manifest& manifest,
                                                                  std::string_view note);

/// Flow and step number `i` of a checked descriptor.
const weir_flow& flow_at(const weir_plugin& plugin, std::size_t i) noexcept;
const weir_step& step_at(const weir_flow& flow, std::size_t i) noexcept;

}  // namespace weir
