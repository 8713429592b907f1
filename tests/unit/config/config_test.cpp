#include "config/config.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace weir;
using namespace std::chrono_literals;

namespace {

Config parsed(const std::string& text) {
  auto config = parse_config({"flows.yaml", text}, "/srv/shop");
  if (!config) FAIL(config.error().front().message);
  return *std::move(config);
}

}  // namespace

TEST_SUITE_BEGIN("config: values");

TEST_CASE("an empty file and one with comments alone mean all defaults") {
  for (const char* text : {"", "\n\n", "# nothing here\n", "---\n",
                           "database:\nworker:\nsupervisor:\nplugins:\nflows:\nlog:\n"}) {
    CAPTURE(text);
    const Config config = parsed(text);
    CHECK_FALSE(config.database.url);
    CHECK_FALSE(config.database.migrate);
    REQUIRE(config.plugins.folders.size() == 1);
    CHECK(config.plugins.folders[0].path == "/srv/shop/plugins");
    CHECK(config.plugins.sha256_allow.empty());
    CHECK(config.worker.count == 1);
    CHECK(config.worker.slots == 8);
    CHECK(config.worker.lease == 15s);
    CHECK(config.worker.drain_timeout == 30s);
    CHECK(config.supervisor.max_restarts == 3);
    CHECK(config.supervisor.max_seconds == 5s);
    CHECK(config.flows.empty());
    CHECK(config.log.level == LogLevel::info);
    CHECK(config.log.format == LogFormat::text);
  }
}

TEST_CASE("every key arrives where it belongs") {
  const Config config = parsed(R"(
database: postgresql://weir@db/weir
plugins:
  folders: [plugins, ../shared/./flows/, /opt/flows]
  sha256_allow: [ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789]
worker: {count: 2, slots: 3, lease: 500s, drain_timeout: 0s}
supervisor: {max_restarts: 0, max_seconds: 60}
flows:
  process_order: {max_attempts: 5, base_delay: 250ms, max_delay: 2d, timeout: 5m, max_output: 64KiB}
log: {level: off, format: json}
)");
  CHECK(config.database.url == "postgresql://weir@db/weir");
  REQUIRE(config.plugins.folders.size() == 3);
  CHECK(config.plugins.folders[0].path == "/srv/shop/plugins");
  CHECK(config.plugins.folders[1].path == "/srv/shared/flows");
  CHECK(config.plugins.folders[2].path == "/opt/flows");
  CHECK(config.source->text()
            .substr(config.plugins.folders[2].where.offset)
            .starts_with("/opt/flows]"));
  CHECK(config.plugins.sha256_allow.front() ==
        "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
  CHECK(config.worker.count == 2);
  CHECK(config.worker.slots == 3);
  CHECK(config.worker.lease == 500s);
  CHECK(config.worker.drain_timeout == 0s);
  CHECK(config.supervisor.max_restarts == 0);
  CHECK(config.supervisor.max_seconds == 60s);
  CHECK(config.log.level == LogLevel::off);
  CHECK(config.log.format == LogFormat::json);

  const FlowConfig& flow = config.flows.at(*Slug::parse("process_order"));
  const OptionOverrides& all = flow.overrides.all;
  CHECK(all.max_attempts == 5);
  CHECK(all.base_delay_ms == 250);
  CHECK(all.max_delay_ms == 172'800'000);
  CHECK(all.timeout_ms == 300'000);
  CHECK(all.max_output_bytes == 65'536);
  CHECK_FALSE(all.start_delay_ms);
  CHECK(config.source->text().substr(flow.where.offset, flow.where.bytes) == "process_order");
}

TEST_CASE("a database is its URL or what is said of it") {
  CHECK_FALSE(parsed("database: postgres://db/weir").database.migrate);
  const Config both = parsed("database: {url: postgres://db/weir, migrate: true}");
  CHECK(both.database.url == "postgres://db/weir");
  CHECK(both.database.migrate);
  CHECK_FALSE(parsed("database: {migrate: false}").database.url);
}

TEST_CASE("D3: options of single steps arrive under their slugs") {
  const Config config = parsed(R"(
flows:
  a:
    timeout: 5s
    steps:
      fetch: {max_attempts: 9, base_delay: 1ms, max_delay: 2s, timeout: 3m, start_delay: 1d, max_output: 1KiB}
      approval: {timeout: 72h}
      rest:
)");
  const FlowConfig& flow = config.flows.at(*Slug::parse("a"));
  CHECK(flow.overrides == FlowOverrides{.all = {.timeout_ms = 5'000},
                                        .steps = {{"fetch",
                                                   {.max_attempts = 9,
                                                    .base_delay_ms = 1,
                                                    .max_delay_ms = 2'000,
                                                    .timeout_ms = 180'000,
                                                    .start_delay_ms = 86'400'000,
                                                    .max_output_bytes = 1'024}},
                                                  {"approval", {.timeout_ms = 259'200'000}},
                                                  {"rest", {}}}});
  const TextSpan where = flow.step_places.at("approval");
  CHECK(config.source->text().substr(where.offset, where.bytes) == "approval");
}

TEST_CASE("C6: limits of a flow arrive as they are written") {
  const Config config = parsed(R"(
flows:
  a: {limits: {max_running: 3, rate: 100/1m, key: /order/customer~1id, key_max_running: 1, key_rate: 5/1s}}
  b: {limits: {rate: 1/500ms}}
  c: {limits: }
)");
  const FlowLimits& all = config.flows.at(*Slug::parse("a")).limits;
  CHECK(all == FlowLimits{.max_running = 3,
                          .rate = "100/1m",
                          .key = "/order/customer~1id",
                          .key_max_running = 1,
                          .key_rate = "5/1s"});
  CHECK(config.flows.at(*Slug::parse("b")).limits == FlowLimits{.rate = "1/500ms"});
  CHECK(config.flows.at(*Slug::parse("c")).limits == FlowLimits{});
}

TEST_CASE("C7: a flow keeps its runs as long as it says or else as long as all do") {
  const Config config =
      parsed("retention: 30d\nflows: {a: {retention: 1h}, b: {retention: none}, c: }");
  CHECK(config.retention.age == 30 * 24h);
  CHECK(config.flows.at(*Slug::parse("a")).retention->age == 1h);
  CHECK_FALSE(config.flows.at(*Slug::parse("b")).retention->age);
  CHECK_FALSE(config.flows.at(*Slug::parse("c")).retention);
  CHECK_FALSE(parsed("").retention.age);
}

TEST_CASE("an override that is absent leaves the option alone") {
  const Config config = parsed("flows: {a: {timeout: 2s}, b: }");
  CHECK_FALSE(config.flows.at(*Slug::parse("a")).overrides.all.max_attempts);
  CHECK(config.flows.at(*Slug::parse("b")).overrides == FlowOverrides{});
}

TEST_CASE("limits themselves are allowed") {
  for (const char* text :
       {"worker: {slots: 1, lease: 1s, drain_timeout: 1d}",
        "worker: {count: 64, slots: 1024, lease: 1h}",
        "supervisor: {max_restarts: 1000, max_seconds: 86400}", "supervisor: {max_seconds: 1}",
        "flows: {a: {max_attempts: 1000, base_delay: 0s, max_delay: 365d, timeout: 1ms, "
        "max_output: 256MiB}}"}) {
    CAPTURE(text);
    CHECK(parse_config({"flows.yaml", text}, "/").has_value());
  }
}

TEST_CASE("anchors and line ends of another system are read") {
  const Config config = parsed("flows:\r\n  a: &usual {max_attempts: 7}\r\n  b: *usual\r\n");
  CHECK(config.flows.at(*Slug::parse("b")).overrides.all.max_attempts == 7);
}
