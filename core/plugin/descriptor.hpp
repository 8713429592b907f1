#pragma once
#include <expected>
#include <optional>
#include <string_view>

#include <weir/abi/plugin.h>

#include "definition/manifest.hpp"
#include "plugin/own_memory.hpp"
#include "plugin/plugin_error.hpp"

namespace weir {

/// Checks the beginning of a weir_plugin, which needs no relocation: magic, major, sizes, counts.
/// `bytes` begin at the definition symbol; their content and length may be anything. Errors:
/// bad_magic, abi_major, bad_descriptor; stage manifest, no path.
std::optional<PluginError> header_fault(std::string_view bytes);

/// The descriptor at `symbol`, after a check of all of it: every pointer leads into the library's
/// own memory, every `run` into its code (of a wait or flow step it is null), sizes and counts are
/// possible, and it agrees with the manifest, whose text is `note`. So flows and steps are in the
/// manifest's order. `symbol` and that memory may hold anything.
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
