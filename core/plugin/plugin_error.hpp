#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace weir {

struct PluginFile;

/// Why a plugin is not live. name() gives the word that CLI, log, API and database use.
enum class PluginFault {
  // The file can't be read, trusted or loaded: family "not_loaded".
  not_found,           ///< no such file or folder
  not_regular,         ///< a folder, link, FIFO, socket or device
  unreadable,          ///< no permission, or the disk failed
  too_big,             ///< larger than TrustPolicy::bytes_max
  untrusted_path,      ///< another user can write the file or a folder above it
  hash_not_allowed,    ///< not in sha256_allow
  not_elf,             ///< not a library, despite its name
  truncated,           ///< cut short: a part it declares is beyond its end
  damaged,             ///< its ELF structures contradict each other
  wrong_machine,       ///< built for another processor
  wrong_class,         ///< 32 bits, or the other byte order
  not_shared,          ///< an object file or a program
  missing_dependency,  ///< a library it needs, or a version of one, is missing
  undefined_symbol,    ///< no library it needs defines a symbol it uses
  noexec_mount,        ///< no private folder from which code may run
  stage_failed,        ///< the private copy could not be written
  load_failed,         ///< the loader refused for another reason; the detail has its message
  scan_crashed,        ///< its constructors, or what they left, ended the scanner by a signal
  scan_exited,         ///< its constructors, or what they left, ended the scanner by an exit
  scan_timeout,        ///< loading it took longer than the scanner's limit

  // The file is a library, but not a sound plugin: family "invalid_flow_module".
  no_manifest,                ///< no note "Weir": not a Weir plugin
  bad_manifest,               ///< the note, or the JSON in it, is malformed
  invalid_definition,         ///< a flow breaks a rule of D1 to D5
  missing_symbol,             ///< no weir_plugin_v1
  symbol_not_in_this_object,  ///< weir_plugin_v1 exists, but only outside of this file
  bad_magic,                  ///< the object at weir_plugin_v1 is something else
  abi_major,                  ///< built for another major of the ABI
  bad_descriptor,             ///< a size, count or pointer in it is impossible
  manifest_mismatch,          ///< the descriptor and the note disagree
  starts_threads,             ///< loading it leaves a thread running
  requires_extension,         ///< it needs an extension that this host does not have

  // A sound plugin whose names are taken: families of the same names.
  duplicate_slug,
  duplicate_module,

  // A plugin that was live: families of the same names.
  plugin_quarantined,  ///< its code crashed too often, or while it was loaded; its runs wait
  unload_pinned,       ///< released, but its code is still mapped
};

/// "missing_dependency"
std::string_view name(PluginFault fault) noexcept;

/// The fault with that name; nullopt when none has it.
std::optional<PluginFault> fault_named(std::string_view name) noexcept;

/// "not_loaded", "invalid_flow_module", or for those after them the fault's own name
std::string_view family(PluginFault fault) noexcept;

/// How far a file came on its way to being live. `discover` lists the folder; `verify` checks the
/// file, its trust and its ELF frame; `manifest` its description of itself; `scan` loads it in a
/// separate process; `stage` loads it here; `publish` registers it; `run` is everything after that.
enum class PluginStage { discover, verify, manifest, scan, stage, publish, run };

/// "verify"
std::string_view name(PluginStage stage) noexcept;

/// The stage with that name; nullopt when none has it.
std::optional<PluginStage> stage_named(std::string_view name) noexcept;

/// One refused plugin, or plugin folder. Other plugins are not affected.
struct PluginError {
  PluginFault kind = PluginFault::not_found;
  PluginStage stage = PluginStage::discover;
  std::string path;
  std::string sha256;  ///< 64 hex digits; empty when it was refused before it was hashed
  std::string detail;  ///< what was found, without the path; of several faults, a line for each
  std::string hint;    ///< what to do about it
  Faults faults;       ///< bad_manifest, invalid_definition: every fault found; else empty

  std::string_view family() const noexcept { return weir::family(kind); }
};

/// A refusal by code that sees bytes and doesn't know their file; its caller adds path and sha256
/// with placed().
std::unexpected<PluginError> refusal(PluginStage stage, PluginFault kind, std::string detail,
                                     std::string_view hint);

/// The same error, about that file.
PluginError placed(PluginError error, const PluginFile& file);

/// "PATH: KIND: detail (hint)", without control characters, whatever the file contains: one line, and
/// when there are several faults, a further line for each of them.
std::string to_string(const PluginError& error);

/// The same as a plain Error: its kind is name(kind), its message "PATH: KIND: detail".
Error to_error(const PluginError& error);

/// A registry's error about a plugin's flows (duplicate_slug or duplicate_module), as one about the
/// plugin's file; stage publish.
PluginError refused_by_registry(const Error& error, const PluginFile& file);

}  // namespace weir
