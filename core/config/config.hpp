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
#include "definition/default_settings.hpp"
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

/// The operator's settings for one plugin, by the name in its manifest.
struct HostingConfig {
  HostingMode mode = HostingMode::in_process;
  std::size_t processes = 0;      ///< isolated: the most for one version; 0: worker.slots
  std::int64_t memory_bytes = 0;  ///< isolated: of writable memory for each process; 0: no limit
  TextSpan where;                 ///< the name's place in Config::source
};

struct PluginsConfig {
  std::vector<PluginFolder> folders;
  /// 64 lower-case hex digits each; empty allows every plugin.
  std::vector<std::string> sha256_allow;
  std::chrono::milliseconds rescan = std::chrono::seconds(5);  ///< the interval of folder scans
  /// Of one plugin within crash_window; one more quarantines it.
  std::size_t max_crashes = default_settings::max_crashes;
  std::chrono::milliseconds crash_window = default_settings::crash_window;
  /// The first quarantine; each later one is twice as long, up to an hour.
  std::chrono::milliseconds quarantine = default_settings::quarantine;
  std::map<std::string, HostingConfig> hosting;  ///< by plugin name; others run in process
};

struct WorkerConfig {
  std::size_t count = 1;  ///< workers in one process
  /// Steps that may run at the same time in one worker.
  std::size_t slots = default_settings::slots;
  /// Asynchronous calls of steps that may be pending at the same time in one worker, beside its slots.
  std::size_t async_calls = default_settings::async_calls;
  std::int64_t async_bytes = default_settings::async_bytes;  ///< what these may hold together
  std::chrono::milliseconds lease = default_settings::lease;
  std::chrono::milliseconds drain_timeout = default_settings::drain_timeout;
};

/// `weir serve` gives up after more than `max_restarts` restarts of its parts within `max_seconds`.
struct SupervisorConfig {
  std::size_t max_restarts = 3;
  std::chrono::seconds max_seconds{5};
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

/// What happens to open runs when a flow's definition changes compatibly (V3).
enum class OnNewVersion {
  keep,   ///< they continue with the version they began with
  adopt,  ///< they continue with the new one
};

/// How long ended runs are kept (C7); nullopt: for ever.
struct RetentionConfig {
  std::optional<std::chrono::milliseconds> age{};
};

/// The operator's settings for one flow. They are policy, not definition: the flow's fingerprint
/// does not depend on them.
struct FlowConfig {
  FlowOverrides overrides{};                      ///< of the options of its steps
  std::map<std::string, TextSpan> step_places{};  ///< of `overrides.steps` in Config::source
  OnNewVersion on_new_version = OnNewVersion::keep;
  FlowLimits limits{};
  std::optional<RetentionConfig> retention{};  ///< absent: as Config::retention
  TextSpan where;                              ///< the slug's place in Config::source
};

/// The PostgreSQL that keeps the runs.
struct DatabaseConfig {
  std::optional<std::string> url{};  ///< absent: the private PostgreSQL under .weir/
  bool migrate = false;              ///< whether `weir serve` may migrate the one at `url`
};

/// flows.yaml, completely checked: where plugins and the database are, and how to run. It never
/// describes a flow.
struct Config {
  std::filesystem::path folder;  ///< absolute; relative paths start here, and .weir/ is here
  std::shared_ptr<const SourceText> source;  ///< null without a file, when all is default
  DatabaseConfig database{};
  PluginsConfig plugins;
  WorkerConfig worker;
  SupervisorConfig supervisor;
  RetentionConfig retention{};
  std::map<Slug, FlowConfig> flows;
  LogConfig log;
};

/// Reads a configuration. Relative paths start in `folder`, which is absolute. All faults are
/// reported at once, in the order of the text. Errors: invalid_input; each message is complete:
/// place, line and caret (SourceText::pointed). Kinds: bad_yaml, bad_type, bad_value, out_of_range,
/// unknown_key, duplicate_key.
std::expected<Config, Faults> parse_config(SourceText source, const std::filesystem::path& folder);

/// The configuration in `folder` (absolute) when there is no flows.yaml.
Config default_config(const std::filesystem::path& folder);

/// Reads the file `named`; when that is absent, ./flows.yaml; when there is no such file, returns
/// the defaults. Errors: those of parse_config; not_found, kind "no_config"; unavailable, kind
/// "unreadable_config".
std::expected<Config, Faults> load_config(const std::optional<std::filesystem::path>& named);

/// Every key the parser knows, such as "worker.slots" and "flows.*.timeout", in the order of its
/// table.
std::vector<std::string> config_keys();

}  // namespace weir
