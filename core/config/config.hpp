#pragma once
#include <chrono>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/log_level.hpp"
#include "base/slug.hpp"
#include "base/source_text.hpp"
#include "definition/flow_definition.hpp"
#include "definition/flow_limits.hpp"

namespace weir {

enum class LogFormat { text, json };

struct PluginFolder {
  std::filesystem::path path;  ///< absolute
  TextSpan where;              ///< its place in Config::source
};

/// Where a plugin's steps run.
enum class HostingMode {
  in_process,  ///< on the worker's own threads
  isolated,    ///< in processes of their own, one call at a time in each
};

/// What the operator says about one plugin, by the name in its manifest.
struct HostingConfig {
  HostingMode mode = HostingMode::in_process;
  std::size_t processes = 0;      ///< isolated: at most so many for a version; 0: worker.slots
  std::int64_t memory_bytes = 0;  ///< isolated: of address space for each process; 0: no limit
  TextSpan where;                 ///< the name's place in Config::source
};

struct PluginsConfig {
  std::vector<PluginFolder> folders;
  std::vector<std::string>
      sha256_allow;  ///< 64 lower-case hex digits each; empty allows every plugin
  std::chrono::milliseconds rescan = std::chrono::seconds(5);  ///< how often folders are looked at
  std::size_t max_crashes = 3;  ///< of one plugin within crash_window, before it is quarantined
  std::chrono::milliseconds crash_window = std::chrono::seconds(60);
  std::chrono::milliseconds quarantine =
      std::chrono::seconds(30);  ///< the first one; each that follows is twice as long, to an hour
  std::map<std::string, HostingConfig> hosting;  ///< by plugin name; others run in process
};

struct WorkerConfig {
  std::size_t count = 1;  ///< workers in one process
  std::size_t slots = 8;  ///< how many steps run at the same time in one worker
  std::chrono::milliseconds lease = std::chrono::seconds(15);
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(30);
};

/// When `weir serve` gives up: more than so many restarts of its parts within so long.
struct SupervisorConfig {
  std::size_t max_restarts = 3;
  std::chrono::seconds max_seconds{5};
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

/// What becomes of open runs when a flow's definition changes compatibly (V3).
enum class OnNewVersion {
  keep,   ///< they end with the version they began with
  adopt,  ///< they go on with the new one
};

/// How long runs that ended are kept (C7); nullopt: for ever.
struct RetentionConfig {
  std::optional<std::chrono::milliseconds> age{};
};

/// What the operator says about one flow. Policy, not definition: the flow's fingerprint stays.
struct FlowConfig {
  FlowOverrides overrides{};                      ///< put over the options of its steps
  std::map<std::string, TextSpan> step_places{};  ///< those of `overrides.steps` in Config::source
  OnNewVersion on_new_version = OnNewVersion::keep;
  FlowLimits limits{};
  std::optional<RetentionConfig> retention{};  ///< absent: as Config::retention
  TextSpan where;                              ///< the slug's place in Config::source
};

/// flows.yaml, checked whole: where plugins and the database are, and how to run. It never
/// describes a flow.
struct Config {
  std::filesystem::path folder;  ///< absolute; relative paths start here, .weir/ stands here
  std::shared_ptr<const SourceText> source;  ///< null when there is no file and all is default
  std::optional<std::string> database;       ///< absent: the private PostgreSQL under .weir/
  PluginsConfig plugins;
  WorkerConfig worker;
  SupervisorConfig supervisor;
  RetentionConfig retention{};
  std::map<Slug, FlowConfig> flows;
  LogConfig log;
};

/// Reads a configuration. `folder` (absolute) is what relative paths are relative to. All mistakes
/// are reported at once, in the order of the text. Errors: invalid_input; each message is complete:
/// place, line and caret (SourceText::pointed). Kinds: bad_yaml, bad_type, bad_value, out_of_range,
/// unknown_key, duplicate_key.
std::expected<Config, Faults> parse_config(SourceText source, const std::filesystem::path& folder);

/// What holds in `folder` (absolute) when there is no flows.yaml.
Config default_config(const std::filesystem::path& folder);

/// Reads the file somebody `named`; else ./flows.yaml; else, when there is none, all defaults.
/// Errors: those of parse_config; not_found, kind "no_config"; unavailable, kind
/// "unreadable_config".
std::expected<Config, Faults> load_config(const std::optional<std::filesystem::path>& named);

/// Every key the parser knows, such as "worker.slots" and "flows.*.timeout", in the order of its
/// table.
std::vector<std::string> config_keys();

}  // namespace weir
