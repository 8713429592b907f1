#include "config/config.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "base/sha256.hpp"
#include "config/flow_keys.hpp"
#include "config/reader.hpp"
#include "config/typed_keys.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view database_form =
    "a PostgreSQL URL such as \"postgresql://user@host:5432/name\", or keywords such as "
    "\"host=a,b dbname=name\" (no line at all: the private PostgreSQL)";

// As far as it can be told without libpq, which reads it later.
bool names_database(std::string_view text) {
  if (text.starts_with("postgresql://") || text.starts_with("postgres://")) return true;
  const std::size_t keyword = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  const std::size_t equals = text.find_first_not_of(' ', keyword);
  return keyword > 0 && equals != std::string_view::npos && text[equals] == '=';
}

void read_url(Reader& reader, std::string_view key, const YAML::Node& value,
              DatabaseConfig& database) {
  const std::string* const text = reader.scalar(key, value, database_form);
  if (text == nullptr) return;
  if (!names_database(*text)) return reader.refuse("bad_value", key, value, database_form);
  database.url = *text;
}

Keys<DatabaseConfig> database_keys() {
  static constexpr std::array<std::string_view, 2> answers = {"false", "true"};
  return {{"url", read_url}, word_key("migrate", &DatabaseConfig::migrate, answers)};
}

// A mapping, or the URL alone.
void read_database(Reader& reader, std::string_view key, const YAML::Node& value, Config& config) {
  static const Keys<DatabaseConfig> keys = database_keys();
  if (value.IsMap() || value.IsNull())
    return read_mapping(reader, key, value, keys, config.database);
  read_url(reader, key, value, config.database);
}

void read_folders(Reader& reader, std::string_view key, const YAML::Node& value,
                  const std::filesystem::path& base, PluginsConfig& plugins) {
  plugins.folders.clear();
  read_list(
      reader, key, value, "a list of folders such as [plugins]",
      [&](const std::string& text, const YAML::Node& node) {
        const TextSpan where = reader.span(node);
        if (text.empty()) return reader.refuse("bad_value", key, node, "a folder's name");
        std::filesystem::path path = (base / text).lexically_normal();
        if (!path.has_filename()) path = path.parent_path();
        if (std::ranges::find(plugins.folders, path, &PluginFolder::path) != plugins.folders.end())
          return reader.fault(where, "bad_value",
                              fmt::format("{}: {} is listed twice", key, in_quotes(text)));
        plugins.folders.push_back({std::move(path), where});
      });
}

void read_sha256_allow(Reader& reader, std::string_view key, const YAML::Node& value,
                       PluginsConfig& plugins) {
  constexpr std::string_view form = "64 hexadecimal digits, as sha256sum prints them";
  if (value.IsNull()) return;  // every line below it is commented out
  read_list(reader, key, value, "a list of SHA-256 sums",
            [&](const std::string& text, const YAML::Node& node) {
              std::string sum = folded(text);
              if (!is_sha256(sum)) return reader.refuse("bad_value", key, node, form);
              plugins.sha256_allow.push_back(std::move(sum));
            });
}

Keys<HostingConfig> hosting_keys() {
  static constexpr std::array<std::string_view, 2> modes = {"in_process", "isolated"};
  constexpr std::int64_t memory_min = std::int64_t{64} << 20U;
  constexpr std::int64_t memory_max = std::int64_t{1} << 40U;
  return {word_key("mode", &HostingConfig::mode, modes),
          count_key("processes", &HostingConfig::processes, 1, 1'024),
          {"memory", [](Reader& reader, std::string_view key, const YAML::Node& value,
                        HostingConfig& hosting) {
             if (const auto read =
                     read_number(reader, key, value, size_notation, memory_min, memory_max))
               hosting.memory_bytes = *read;
           }}};
}

void read_hosting(Reader& reader, std::string_view section, const YAML::Node& value,
                  PluginsConfig& plugins) {
  static const Keys<HostingConfig> keys = hosting_keys();
  const auto as_written = [](std::string_view name) { return std::string(name); };
  each_entry(reader, section, value, as_written,
             [&](const std::string& name, const YAML::Node& key, const YAML::Node& settings) {
               HostingConfig hosting{.where = reader.span(key)};
               read_mapping(reader, name, settings, keys, hosting);
               plugins.hosting.emplace(name, hosting);
             });
}

Keys<PluginsConfig> plugins_keys(const std::filesystem::path& base) {
  using namespace std::chrono_literals;
  return {{"folders",
           [base](Reader& reader, std::string_view key, const YAML::Node& value,
                  PluginsConfig& plugins) { read_folders(reader, key, value, base, plugins); }},
          {"sha256_allow", read_sha256_allow},
          duration_key("rescan", &PluginsConfig::rescan, 100ms, 1h),
          count_key("max_crashes", &PluginsConfig::max_crashes, 0, 1'000),
          duration_key("crash_window", &PluginsConfig::crash_window, 1s, 24h),
          duration_key("quarantine", &PluginsConfig::quarantine, 1s, 1h),
          {"hosting", read_hosting, paths_of_any(paths(hosting_keys()))}};
}

Keys<WorkerConfig> worker_keys() {
  using namespace std::chrono_literals;
  return {count_key("count", &WorkerConfig::count, 1, 64),
          count_key("slots", &WorkerConfig::slots, 1, 1'024),
          count_key("async_calls", &WorkerConfig::async_calls, 0, 100'000),
          {"async_bytes",
           [](Reader& reader, std::string_view key, const YAML::Node& value, WorkerConfig& worker) {
             constexpr std::int64_t least = std::int64_t{1} << 20U, most = std::int64_t{1} << 40U;
             if (const auto read = read_number(reader, key, value, size_notation, least, most))
               worker.async_bytes = *read;
           }},
          duration_key("lease", &WorkerConfig::lease, 1s, 1h),
          duration_key("drain_timeout", &WorkerConfig::drain_timeout, 0s, 24h)};
}

Keys<SupervisorConfig> supervisor_keys() {
  return {count_key("max_restarts", &SupervisorConfig::max_restarts, 0, 1'000),
          {"max_seconds", [](Reader& reader, std::string_view key, const YAML::Node& value,
                             SupervisorConfig& supervisor) {
             if (const auto read = read_number(reader, key, value, whole_notation, 1, 86'400))
               supervisor.max_seconds = std::chrono::seconds(*read);
           }}};
}

Keys<LogConfig> log_keys() {
  static constexpr std::array<std::string_view, 6> levels = {"trace", "debug", "info",
                                                             "warn",  "error", "off"};
  static constexpr std::array<std::string_view, 2> formats = {"text", "json"};
  return {{"level", [](Reader& reader, std::string_view key, const YAML::Node& value,
                       LogConfig& log) { read_word(reader, key, value, levels, log.level); }},
          {"format", [](Reader& reader, std::string_view key, const YAML::Node& value,
                        LogConfig& log) { read_word(reader, key, value, formats, log.format); }}};
}

template <class T>
Key<Config> section(std::string name, T Config::* member, Keys<T> keys) {
  std::vector<std::string> below = paths(keys);
  return {std::move(name),
          [member, keys = std::move(keys)](Reader& reader, std::string_view key,
                                           const YAML::Node& value, Config& config) {
            read_mapping(reader, key, value, keys, config.*member);
          },
          std::move(below)};
}

// The one table of keys: the parser reads it, config_keys() lists it, and tests compare it with
// flows.example.yaml and schemas/config.schema.json.
Keys<Config> root_keys(const std::filesystem::path& base) {
  return {{"database", read_database, paths(database_keys())},
          section("plugins", &Config::plugins, plugins_keys(base)),
          section("worker", &Config::worker, worker_keys()),
          section("supervisor", &Config::supervisor, supervisor_keys()),
          {"retention",
           [](Reader& reader, std::string_view key, const YAML::Node& value, Config& config) {
             config.retention = read_retention(reader, key, value).value_or(RetentionConfig{});
           }},
          {"flows", read_flows, paths_of_any(paths(flow_keys()))},
          section("log", &Config::log, log_keys())};
}

}  // namespace

std::expected<Config, Faults> parse_config(SourceText source, const std::filesystem::path& folder) {
  Config config;
  config.folder = folder;
  config.plugins.folders = {{folder / "plugins", {}}};
  config.source = std::make_shared<const SourceText>(std::move(source));
  Reader reader(*config.source);
  const YAML::Node root = parse_yaml(reader, config.source->text());
  read_mapping(reader, "the configuration", root, root_keys(folder), config);
  if (Faults faults = reader.take(); !faults.empty()) return std::unexpected(std::move(faults));
  return config;
}

std::vector<std::string> config_keys() { return paths(root_keys({})); }

}  // namespace weir
