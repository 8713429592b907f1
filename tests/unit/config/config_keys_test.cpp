#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

#include "config/config.hpp"

using namespace weir;

namespace {

std::string file(const std::string& name) {
  std::ifstream in(std::string(WEIR_SOURCE_DIR) + "/" + name, std::ios::binary);
  REQUIRE_MESSAGE(in, name);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// flows.example.yaml with the one key that has no default uncommented.
std::string example() {
  std::string text = file("flows.example.yaml");
  constexpr std::string_view commented = "\n  # url:";
  const std::size_t at = text.find(commented);
  REQUIRE(at != std::string::npos);
  return text.replace(at, commented.size(), "\n  url:");
}

std::set<std::string> known() {
  const auto keys = config_keys();
  return {keys.begin(), keys.end()};
}

/// Paths of all values; below `flows`, their `steps` and `plugins.hosting` each name is "*".
void collect(const YAML::Node& node, const std::string& path, std::set<std::string>& found) {
  if (!node.IsMap()) {
    found.insert(path);
    return;
  }
  for (const auto& entry : node) {
    const std::string name = path == "flows" || path == "flows.*.steps" || path == "plugins.hosting"
                                 ? "*"
                                 : entry.first.as<std::string>();
    collect(entry.second, path.empty() ? name : std::string(path).append(".").append(name), found);
  }
}

/// The same for a JSON schema, which is YAML too.
void collect_schema(const YAML::Node& schema, const std::string& path,
                    std::set<std::string>& found) {
  const YAML::Node any = schema["additionalProperties"];
  const bool section = schema["properties"] || (any && any.IsMap());
  if (!section) found.insert(path);
  const std::string before = path.empty() ? "" : path + ".";
  if (const YAML::Node properties = schema["properties"])
    for (const auto& entry : properties)
      collect_schema(entry.second, before + entry.first.as<std::string>(), found);
  if (any && any.IsMap()) collect_schema(any, before + "*", found);
}

}  // namespace

TEST_SUITE_BEGIN("config: keys");

TEST_CASE("the parser knows the keys that are promised") {
  CHECK(config_keys() == std::vector<std::string>{"database.url",
                                                  "database.migrate",
                                                  "plugins.folders",
                                                  "plugins.sha256_allow",
                                                  "plugins.rescan",
                                                  "plugins.max_crashes",
                                                  "plugins.crash_window",
                                                  "plugins.quarantine",
                                                  "plugins.hosting.*.mode",
                                                  "plugins.hosting.*.processes",
                                                  "plugins.hosting.*.memory",
                                                  "worker.count",
                                                  "worker.slots",
                                                  "worker.async_calls",
                                                  "worker.async_bytes",
                                                  "worker.lease",
                                                  "worker.drain_timeout",
                                                  "supervisor.max_restarts",
                                                  "supervisor.max_seconds",
                                                  "retention",
                                                  "flows.*.max_attempts",
                                                  "flows.*.base_delay",
                                                  "flows.*.max_delay",
                                                  "flows.*.timeout",
                                                  "flows.*.max_output",
                                                  "flows.*.steps.*.max_attempts",
                                                  "flows.*.steps.*.base_delay",
                                                  "flows.*.steps.*.max_delay",
                                                  "flows.*.steps.*.timeout",
                                                  "flows.*.steps.*.start_delay",
                                                  "flows.*.steps.*.max_output",
                                                  "flows.*.on_new_version",
                                                  "flows.*.limits.max_running",
                                                  "flows.*.limits.rate",
                                                  "flows.*.limits.key",
                                                  "flows.*.limits.key_max_running",
                                                  "flows.*.limits.key_rate",
                                                  "flows.*.retention",
                                                  "log.level",
                                                  "log.format"});
}

TEST_CASE("flows.example.yaml names every key and no other") {
  std::set<std::string> found;
  collect(YAML::Load(example()), "", found);
  CHECK(found == known());
}

TEST_CASE("flows.example.yaml shows the defaults") {
  const auto shown = parse_config({"flows.example.yaml", example()}, "/srv");
  const auto standard = parse_config({"flows.yaml", ""}, "/srv");
  REQUIRE(shown);
  CHECK(shown->database.url);
  CHECK(shown->database.migrate == standard->database.migrate);
  CHECK(shown->plugins.folders.front().path == standard->plugins.folders.front().path);
  CHECK(shown->plugins.sha256_allow.empty());
  CHECK(shown->plugins.rescan == standard->plugins.rescan);
  CHECK(shown->plugins.max_crashes == standard->plugins.max_crashes);
  CHECK(shown->plugins.crash_window == standard->plugins.crash_window);
  CHECK(shown->plugins.quarantine == standard->plugins.quarantine);
  CHECK(shown->plugins.hosting.at("process_order").mode == HostingConfig{}.mode);
  CHECK(shown->plugins.hosting.at("process_order").processes == standard->worker.slots);
  CHECK(shown->worker.count == standard->worker.count);
  CHECK(shown->worker.slots == standard->worker.slots);
  CHECK(shown->worker.async_calls == standard->worker.async_calls);
  CHECK(shown->worker.async_bytes == standard->worker.async_bytes);
  CHECK(shown->worker.lease == standard->worker.lease);
  CHECK(shown->worker.drain_timeout == standard->worker.drain_timeout);
  CHECK(shown->supervisor.max_restarts == standard->supervisor.max_restarts);
  CHECK(shown->supervisor.max_seconds == standard->supervisor.max_seconds);
  CHECK(shown->log.level == standard->log.level);
  CHECK(shown->log.format == standard->log.format);
  const FlowConfig& flow = shown->flows.at(*Slug::parse("process_order"));
  CHECK(overridden(StepOptions{}, flow.overrides.all) == StepOptions{});
  CHECK(overridden(StepOptions{}, flow.overrides.steps.at("fetch")) == StepOptions{});
  CHECK(flow.on_new_version == FlowConfig{}.on_new_version);
  CHECK(shown->retention.age == standard->retention.age);
}

TEST_CASE("flows.example.yaml gives a default for every key") {
  const std::string text = file("flows.example.yaml");
  std::size_t defaults = 0;
  for (std::size_t at = text.find("Default: "); at != std::string::npos;
       at = text.find("Default: ", at + 1))
    ++defaults;
  CHECK(defaults == config_keys().size() + 2);  // and `flows` and `hosting` themselves
}

TEST_CASE("the configurations on docs/limits.md and docs/retention.md are read") {
  for (const char* page : {"docs/limits.md", "docs/retention.md"}) {
    CAPTURE(page);
    const std::string text = file(page);
    const std::size_t begin = text.find("```yaml\n");
    REQUIRE(begin != std::string::npos);
    const std::string block = text.substr(begin + 8, text.find("```\n", begin + 8) - begin - 8);
    const auto read = parse_config({page, block}, "/srv");
    CHECK_MESSAGE(read.has_value(), (read ? "" : read.error().front().message));
  }
}

TEST_CASE("schemas/config.schema.json names every key and no other") {
  std::set<std::string> found;
  collect_schema(YAML::Load(file("schemas/config.schema.json")), "", found);
  CHECK(found == known());
}
