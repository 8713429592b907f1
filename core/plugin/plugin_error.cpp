#include "plugin/plugin_error.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/printable.hpp"
#include "registry/flow_module.hpp"

namespace weir {
namespace {

ErrorCode code_of(PluginFault fault) noexcept {
  switch (fault) {
    case PluginFault::not_found:
      return ErrorCode::not_found;
    case PluginFault::unreadable:
    case PluginFault::noexec_mount:
    case PluginFault::stage_failed:
    case PluginFault::plugin_quarantined:
    case PluginFault::unload_pinned:
      return ErrorCode::unavailable;
    case PluginFault::duplicate_slug:
    case PluginFault::duplicate_module:
      return ErrorCode::conflict;
    default:
      return ErrorCode::invalid_definition;
  }
}

// Of several faults each has a line of its own. No byte of a hostile file or file name can do more.
std::string sentence(const PluginError& error) {
  const auto newlines = error.faults.size() > 1 ? Newlines::kept : Newlines::escaped;
  return fmt::format("{}: {}: {}", printable(error.path), name(error.kind),
                     printable(error.detail, newlines));
}

}  // namespace

std::string_view name(PluginFault fault) noexcept {
  switch (fault) {
    case PluginFault::not_found:
      return "not_found";
    case PluginFault::not_regular:
      return "not_regular";
    case PluginFault::unreadable:
      return "unreadable";
    case PluginFault::too_big:
      return "too_big";
    case PluginFault::untrusted_path:
      return "untrusted_path";
    case PluginFault::hash_not_allowed:
      return "hash_not_allowed";
    case PluginFault::not_elf:
      return "not_elf";
    case PluginFault::truncated:
      return "truncated";
    case PluginFault::damaged:
      return "damaged";
    case PluginFault::wrong_machine:
      return "wrong_machine";
    case PluginFault::wrong_class:
      return "wrong_class";
    case PluginFault::not_shared:
      return "not_shared";
    case PluginFault::missing_dependency:
      return "missing_dependency";
    case PluginFault::undefined_symbol:
      return "undefined_symbol";
    case PluginFault::noexec_mount:
      return "noexec_mount";
    case PluginFault::stage_failed:
      return "stage_failed";
    case PluginFault::load_failed:
      return "load_failed";
    case PluginFault::scan_crashed:
      return "scan_crashed";
    case PluginFault::scan_exited:
      return "scan_exited";
    case PluginFault::scan_timeout:
      return "scan_timeout";
    case PluginFault::no_manifest:
      return "no_manifest";
    case PluginFault::bad_manifest:
      return "bad_manifest";
    case PluginFault::invalid_definition:
      return "invalid_definition";
    case PluginFault::missing_symbol:
      return "missing_symbol";
    case PluginFault::symbol_not_in_this_object:
      return "symbol_not_in_this_object";
    case PluginFault::bad_magic:
      return "bad_magic";
    case PluginFault::abi_major:
      return "abi_major";
    case PluginFault::bad_descriptor:
      return "bad_descriptor";
    case PluginFault::manifest_mismatch:
      return "manifest_mismatch";
    case PluginFault::starts_threads:
      return "starts_threads";
    case PluginFault::requires_extension:
      return "requires_extension";
    case PluginFault::duplicate_slug:
      return "duplicate_slug";
    case PluginFault::duplicate_module:
      return "duplicate_module";
    case PluginFault::plugin_quarantined:
      return "plugin_quarantined";
    case PluginFault::unload_pinned:
      return "unload_pinned";
  }
  return "unknown";
}

std::optional<PluginFault> fault_named(std::string_view word) noexcept {
  for (auto fault = PluginFault{}; fault <= PluginFault::unload_pinned;
       fault = static_cast<PluginFault>(static_cast<int>(fault) + 1))
    if (name(fault) == word) return fault;
  return std::nullopt;
}

std::string_view family(PluginFault fault) noexcept {
  if (fault >= PluginFault::duplicate_slug) return name(fault);
  return fault < PluginFault::no_manifest ? "not_loaded" : "invalid_flow_module";
}

std::string_view name(PluginStage stage) noexcept {
  switch (stage) {
    case PluginStage::discover:
      return "discover";
    case PluginStage::verify:
      return "verify";
    case PluginStage::manifest:
      return "manifest";
    case PluginStage::scan:
      return "scan";
    case PluginStage::stage:
      return "stage";
    case PluginStage::publish:
      return "publish";
    case PluginStage::run:
      return "run";
  }
  return "unknown";
}

std::optional<PluginStage> stage_named(std::string_view word) noexcept {
  for (auto stage = PluginStage{}; stage <= PluginStage::run;
       stage = static_cast<PluginStage>(static_cast<int>(stage) + 1))
    if (name(stage) == word) return stage;
  return std::nullopt;
}

std::unexpected<PluginError> refusal(PluginStage stage, PluginFault kind, std::string detail,
                                     std::string_view hint) {
  return std::unexpected(PluginError{.kind = kind,
                                     .stage = stage,
                                     .path = {},
                                     .sha256 = {},
                                     .detail = std::move(detail),
                                     .hint = std::string(hint),
                                     .faults = {}});
}

PluginError placed(PluginError error, const PluginFile& file) {
  error.path = file.path;
  error.sha256 = file.sha256;
  return error;
}

std::string to_string(const PluginError& error) {
  const std::string text = sentence(error);
  return error.hint.empty() ? text : fmt::format("{} ({})", text, printable(error.hint));
}

Error to_error(const PluginError& error) {
  return {.code = code_of(error.kind),
          .kind = std::string(name(error.kind)),
          .message = sentence(error),
          .hint = error.hint};
}

PluginError refused_by_registry(const Error& error, const PluginFile& file) {
  const PluginFault kind =
      error.kind == "duplicate_slug" ? PluginFault::duplicate_slug : PluginFault::duplicate_module;
  return placed(refusal(PluginStage::publish, kind, error.message, error.hint).error(), file);
}

}  // namespace weir
