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
#include "base/slug.hpp"
#include "base/source_text.hpp"
#include "definition/flow_definition.hpp"

namespace weir {

enum class LogLevel { trace, debug, info, warn, error, off };
enum class LogFormat { text, json };

struct PluginFolder {
  std::filesystem::path path;  ///< absolute
  TextSpan where;              ///< its place in Config::source
};

struct PluginsConfig {
  std::vector<PluginFolder> folders;
  std::vector<std::string>
      sha256_allow;  ///< 64 lower-case hex digits each; empty allows every plugin
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

/// What the operator says about one flow: put over the options of each of its steps. Policy, not
/// definition: the flow's fingerprint stays.
struct FlowConfig {
  OptionOverrides options;
  TextSpan where;  ///< the slug's place in Config::source
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
  std::map<Slug, FlowConfig> flows;
  LogConfig log;
};

/// Reads a configuration. `folder` (absolute) is what relative paths are relative to. All mistakes
/// are reported at once, in the order of the text. Errors: invalid_input; each message is complete:
/// place, line and caret (SourceText::pointed). Kinds: bad_yaml, bad_type, bad_value, out_of_range,
/// unknown_key, duplicate_key.
std::expected<Config, Faults> parse_config(SourceText source, const std::filesystem::path& folder);

/// Reads the file somebody `named`; else ./flows.yaml; else, when there is none, all defaults.
/// Errors: those of parse_config; not_found, kind "no_config"; unavailable, kind
/// "unreadable_config".
std::expected<Config, Faults> load_config(const std::optional<std::filesystem::path>& named);

/// Every key the parser knows, such as "worker.slots" and "flows.*.timeout", in the order of its
/// table.
std::vector<std::string> config_keys();

}  // namespace weir
