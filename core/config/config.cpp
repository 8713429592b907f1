#include "config/config.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "config/quantity.hpp"
#include "config/reader.hpp"

namespace weir {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view duration_form = "a duration such as \"500ms\" or \"2s\"";
constexpr std::string_view size_form = "a size such as \"64KiB\" or \"16MiB\"";

std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string written_whole(std::int64_t number) { return fmt::format("{}", number); }
std::optional<std::int64_t> parse_milliseconds(std::string_view text) {
  const auto duration = parse_duration(text);
  return duration ? std::optional(duration->count()) : std::nullopt;
}
std::string written_milliseconds(std::int64_t count) { return written(milliseconds(count)); }

// How a number is written in YAML, by the unit that OptionRule gives.
struct Notation {
  std::string_view form;
  std::optional<std::int64_t> (*parse)(std::string_view);
  std::string (*write)(std::int64_t);
};
constexpr Notation whole = {"a whole number", parse_whole, written_whole};
constexpr Notation duration_notation = {duration_form, parse_milliseconds, written_milliseconds};
constexpr Notation size = {size_form, parse_size, written_size};

std::optional<std::int64_t> read_number(Reader& reader, std::string_view key,
                                        const YAML::Node& value, const Notation& notation,
                                        std::int64_t min, std::int64_t max) {
  const std::string* const text = reader.scalar(key, value, notation.form);
  if (text == nullptr) return std::nullopt;
  const auto number = notation.parse(*text);
  if (!number) {
    reader.refuse("bad_type", key, value, notation.form);
    return std::nullopt;
  }
  if (*number >= min && *number <= max) return number;
  reader.refuse("out_of_range", key, value,
                fmt::format("{} to {}", notation.write(min), notation.write(max)));
  return std::nullopt;
}

// Reads one of a few words, which are in the order of the enum.
template <class Enum, std::size_t n>
void read_word(Reader& reader, std::string_view key, const YAML::Node& value,
               const std::array<std::string_view, n>& words, Enum& into) {
  const std::string expected = fmt::format("one of {}", fmt::join(words, ", "));
  const std::string* const text = reader.scalar(key, value, expected);
  if (text == nullptr) return;
  const auto at = std::ranges::find(words, *text);
  if (at != words.end()) {
    into = static_cast<Enum>(at - words.begin());
    return;
  }
  const std::vector<std::string> candidates(words.begin(), words.end());
  const std::string guess = did_you_mean(*text, candidates);
  reader.fault(reader.span(value), "bad_value",
               fmt::format("{}: expected {}, got {}{}{}", key, expected, in_quotes(*text),
                           guess.empty() ? "" : "; ", guess));
}

template <class T>
void read_list(Reader& reader, std::string_view key, const YAML::Node& value,
               std::string_view expected, T&& element) {
  if (!value.IsSequence()) return reader.refuse("bad_type", key, value, expected);
  for (const YAML::Node& each : value)
    if (const std::string* const text = reader.scalar(key, each, expected)) element(*text, each);
}

constexpr std::string_view database_form =
    "a PostgreSQL URL such as \"postgresql://user@host:5432/name\" (no line at all: the private "
    "PostgreSQL)";

void read_database(Reader& reader, std::string_view key, const YAML::Node& value, Config& config) {
  const std::string* const text = reader.scalar(key, value, database_form);
  if (text == nullptr) return;
  if (!text->starts_with("postgresql://") && !text->starts_with("postgres://"))
    return reader.refuse("bad_value", key, value, database_form);
  config.database = *text;
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
              const bool valid = sum.size() == 64 &&
                                 sum.find_first_not_of("0123456789abcdef") == std::string::npos;
              if (!valid) return reader.refuse("bad_value", key, node, form);
              plugins.sha256_allow.push_back(std::move(sum));
            });
}

template <class T>
Key<T> count_key(std::string name, std::size_t T::* member, std::int64_t min, std::int64_t max) {
  return {std::move(name),
          [=](Reader& reader, std::string_view key, const YAML::Node& value, T& into) {
            if (const auto read = read_number(reader, key, value, whole, min, max))
              into.*member = static_cast<std::size_t>(*read);
          }};
}

template <class T>
Key<T> duration_key(std::string name, milliseconds T::* member, milliseconds min,
                    milliseconds max) {
  return {std::move(name),
          [=](Reader& reader, std::string_view key, const YAML::Node& value, T& into) {
            if (const auto read =
                    read_number(reader, key, value, duration_notation, min.count(), max.count()))
              into.*member = milliseconds(*read);
          }};
}

template <class T, class Enum, std::size_t n>
Key<T> word_key(std::string name, Enum T::* member, const std::array<std::string_view, n>& words) {
  return {std::move(name), [=](Reader& reader, std::string_view key, const YAML::Node& value,
                               T& into) { read_word(reader, key, value, words, into.*member); }};
}

Keys<HostingConfig> hosting_keys() {
  static constexpr std::array<std::string_view, 2> modes = {"in_process", "isolated"};
  constexpr std::int64_t memory_min = std::int64_t{64} << 20U;
  constexpr std::int64_t memory_max = std::int64_t{1} << 40U;
  return {word_key("mode", &HostingConfig::mode, modes),
          count_key("processes", &HostingConfig::processes, 1, 1'024),
          {"memory", [](Reader& reader, std::string_view key, const YAML::Node& value,
                        HostingConfig& hosting) {
             if (const auto read = read_number(reader, key, value, size, memory_min, memory_max))
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

std::vector<std::string> paths_of_any(const std::vector<std::string>& below) {
  std::vector<std::string> all;
  for (const std::string& path : below) all.push_back("*." + path);
  return all;
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
          duration_key("lease", &WorkerConfig::lease, 1s, 1h),
          duration_key("drain_timeout", &WorkerConfig::drain_timeout, 0s, 24h)};
}

Keys<SupervisorConfig> supervisor_keys() {
  return {count_key("max_restarts", &SupervisorConfig::max_restarts, 0, 1'000),
          {"max_seconds", [](Reader& reader, std::string_view key, const YAML::Node& value,
                             SupervisorConfig& supervisor) {
             if (const auto read = read_number(reader, key, value, whole, 1, 86'400))
               supervisor.max_seconds = std::chrono::seconds(*read);
           }}};
}

constexpr std::string_view retention_form = "none, or an age such as \"30d\"";

std::optional<RetentionConfig> read_retention(Reader& reader, std::string_view key,
                                              const YAML::Node& value) {
  using namespace std::chrono_literals;
  const std::string* const text = reader.scalar(key, value, retention_form);
  if (text == nullptr) return std::nullopt;
  if (*text == "none") return RetentionConfig{};
  constexpr Notation age = {retention_form, parse_milliseconds, written_milliseconds};
  constexpr milliseconds longest = 36'500 * 24h;
  const auto read = read_number(reader, key, value, age, milliseconds(1s).count(), longest.count());
  return read ? std::optional(RetentionConfig{milliseconds(*read)}) : std::nullopt;
}

// "100/1m": a count and an interval.
bool is_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.starts_with('0')) return false;
  const auto count = parse_whole(text.substr(0, slash));
  const auto time = parse_duration(text.substr(slash + 1));
  return count && *count >= 1 && *count < 1'000'000'000 && time && time->count() >= 1 &&
         *time <= std::chrono::hours(24 * 365) && text[slash + 1] != '0';
}

bool is_json_pointer(std::string_view text) {
  if (!text.starts_with('/')) return false;
  for (std::size_t at = text.find('~'); at != std::string_view::npos; at = text.find('~', at + 1))
    if (at + 1 == text.size() || (text[at + 1] != '0' && text[at + 1] != '1')) return false;
  return true;
}

Key<FlowLimits> limit_key(std::string name, std::optional<std::int64_t> FlowLimits::* member) {
  return {std::move(name), [member](Reader& reader, std::string_view key, const YAML::Node& value,
                                    FlowLimits& limits) {
            limits.*member = read_number(reader, key, value, whole, 1, 1'000'000'000);
          }};
}

Key<FlowLimits> limit_key(std::string name, std::optional<std::string> FlowLimits::* member,
                          std::string_view form, bool (*fits)(std::string_view)) {
  return {std::move(name),
          [=](Reader& reader, std::string_view key, const YAML::Node& value, FlowLimits& limits) {
            const std::string* const text = reader.scalar(key, value, form);
            if (text == nullptr) return;
            if (!fits(*text)) return reader.refuse("bad_value", key, value, form);
            limits.*member = *text;
          }};
}

Keys<FlowLimits> limits_keys() {
  constexpr std::string_view rate_form = "a count per interval such as \"100/1m\"";
  return {limit_key("max_running", &FlowLimits::max_running),
          limit_key("rate", &FlowLimits::rate, rate_form, is_rate),
          limit_key("key", &FlowLimits::key, "a JSON pointer such as \"/customer_id\"",
                    is_json_pointer),
          limit_key("key_max_running", &FlowLimits::key_max_running),
          limit_key("key_rate", &FlowLimits::key_rate, rate_form, is_rate)};
}

void read_limits(Reader& reader, std::string_view section, const YAML::Node& value,
                 FlowConfig& flow) {
  static const Keys<FlowLimits> keys = limits_keys();
  read_mapping(reader, section, value, keys, flow.limits);
  if (flow.limits.key) return;
  if (flow.limits.key_max_running || flow.limits.key_rate)
    reader.fault(reader.span(value), "bad_value",
                 fmt::format("{}: key_max_running and key_rate need a key, such as key: "
                             "/customer_id",
                             section));
}

void read_option(Reader& reader, std::string_view key, const YAML::Node& value,
                 const OptionRule& rule, OptionOverrides& options) {
  const Notation& notation = rule.unit == "ms"      ? duration_notation
                             : rule.unit == "bytes" ? size
                                                    : whole;
  options.*rule.member = read_number(reader, key, value, notation, rule.min, rule.max);
}

Keys<OptionOverrides> step_keys() {
  Keys<OptionOverrides> keys;
  for (const OptionRule& rule : option_rules)
    keys.push_back(
        {std::string(rule.plain_name()),
         [rule](Reader& reader, std::string_view key, const YAML::Node& value,
                OptionOverrides& step) { read_option(reader, key, value, rule, step); }});
  return keys;
}

void read_steps(Reader& reader, std::string_view section, const YAML::Node& value,
                FlowConfig& flow) {
  static const Keys<OptionOverrides> keys = step_keys();
  each_entry(reader, section, value, folded,
             [&](const std::string& name, const YAML::Node& key, const YAML::Node& options) {
               if (const auto slug = Slug::parse(name); !slug)
                 return reader.fault(reader.span(key), "bad_value", to_string(slug.error()));
               read_mapping(reader, name, options, keys, flow.overrides.steps[name]);
               flow.step_places.emplace(name, reader.span(key));
             });
}

Keys<FlowConfig> flow_keys() {
  static constexpr std::array<std::string_view, 2> policies = {"keep", "adopt"};
  Keys<FlowConfig> keys;
  for (const OptionRule& rule : option_rules) {
    if (rule.step_only) continue;
    keys.push_back(
        {std::string(rule.plain_name()),
         [rule](Reader& reader, std::string_view key, const YAML::Node& value, FlowConfig& flow) {
           read_option(reader, key, value, rule, flow.overrides.all);
         }});
  }
  keys.push_back({"steps", read_steps, paths_of_any(paths(step_keys()))});
  keys.push_back(word_key("on_new_version", &FlowConfig::on_new_version, policies));
  keys.push_back({"limits", read_limits, paths(limits_keys())});
  keys.push_back(
      {"retention", [](Reader& reader, std::string_view key, const YAML::Node& value,
                       FlowConfig& flow) { flow.retention = read_retention(reader, key, value); }});
  return keys;
}

void read_flows(Reader& reader, std::string_view section, const YAML::Node& value, Config& config) {
  static const Keys<FlowConfig> keys = flow_keys();
  each_entry(reader, section, value, folded,
             [&](const std::string& name, const YAML::Node& key, const YAML::Node& options) {
               const auto slug = Slug::parse(name);
               if (!slug)
                 return reader.fault(reader.span(key), "bad_value", to_string(slug.error()));
               FlowConfig flow{.where = reader.span(key)};
               read_mapping(reader, name, options, keys, flow);
               config.flows.emplace(*slug, flow);
             });
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
  return {{"database", read_database},
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
