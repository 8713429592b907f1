#include "config/flow_keys.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "config/quantity.hpp"
#include "config/typed_keys.hpp"

namespace weir {
namespace {

constexpr std::string_view retention_form = "none, or an age such as \"30d\"";

// "100/1m": a count and an interval.
bool is_rate(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || text.starts_with('0')) return false;
  const auto count = whole_notation.parse(text.substr(0, slash));
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
            limits.*member = read_number(reader, key, value, whole_notation, 1, 1'000'000'000);
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
                             : rule.unit == "bytes" ? size_notation
                                                    : whole_notation;
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

}  // namespace

std::optional<RetentionConfig> read_retention(Reader& reader, std::string_view key,
                                              const YAML::Node& value) {
  using namespace std::chrono_literals;
  const std::string* const text = reader.scalar(key, value, retention_form);
  if (text == nullptr) return std::nullopt;
  if (*text == "none") return RetentionConfig{};
  const Notation age = {retention_form, duration_notation.parse, duration_notation.write};
  constexpr std::chrono::milliseconds longest = 36'500 * 24h;
  const auto read =
      read_number(reader, key, value, age, std::chrono::milliseconds(1s).count(), longest.count());
  return read ? std::optional(RetentionConfig{std::chrono::milliseconds(*read)}) : std::nullopt;
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
               WEIR_ASSERT(flow.step_places.size() == flow.overrides.steps.size());
               config.flows.emplace(*slug, flow);
             });
}

}  // namespace weir
