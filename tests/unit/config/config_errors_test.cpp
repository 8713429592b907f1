#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "config/config.hpp"

using namespace weir;

namespace {

/// Everything that is printed about a text, faults one after the other.
std::string printed(const std::string& text) {
  const auto config = parse_config({"flows.yaml", text}, "/srv/shop");
  if (config) return "accepted";
  std::string all;
  for (const Error& fault : config.error()) {
    CHECK(fault.code == ErrorCode::invalid_input);
    all += (all.empty() ? "" : "\n") + fault.message;
  }
  return all;
}

std::vector<std::string> kinds(const std::string& text) {
  const auto config = parse_config({"flows.yaml", text}, "/srv/shop");
  std::vector<std::string> all;
  if (!config)
    for (const Error& fault : config.error()) all.push_back(fault.kind);
  return all;
}

}  // namespace

TEST_SUITE_BEGIN("config: mistakes");

TEST_CASE("every mistake of a file is reported in one go and in its order") {
  CHECK(printed(R"(worker:
  slots: 0
  lease: fast
  leese: 3s
  slots: 9
  drain_timeout: 25h
log: {level: inof, format: xml}
plugins: plugins
flows:
  run: {}
  a: {max_attempts: many, max_output: 1GiB, timeout: 0ms, start_delay: 3s}
  A:
)") == R"(flows.yaml:2:10: error: slots: expected 1 to 1024, got "0"
   slots: 0
          ^
flows.yaml:3:10: error: lease: expected a duration such as "500ms" or "2s", got "fast"
   lease: fast
          ^~~~
flows.yaml:4:3: error: unknown key "leese" in worker; did you mean "lease"?
   leese: 3s
   ^~~~~
flows.yaml:5:3: error: "slots" is given twice
   slots: 9
   ^~~~~
flows.yaml:6:18: error: drain_timeout: expected 0s to 1d, got "25h"
   drain_timeout: 25h
                  ^~~
flows.yaml:7:14: error: level: expected one of trace, debug, info, warn, error, off, got "inof"; did you mean "info"?
 log: {level: inof, format: xml}
              ^~~~
flows.yaml:7:28: error: format: expected one of text, json, got "xml"
 log: {level: inof, format: xml}
                            ^~~
flows.yaml:8:10: error: plugins: expected a mapping, got "plugins"
 plugins: plugins
          ^~~~~~~
flows.yaml:10:3: error: slug "run" is reserved (choose another name)
   run: {}
   ^~~
flows.yaml:11:21: error: max_attempts: expected a whole number, got "many"
   a: {max_attempts: many, max_output: 1GiB, timeout: 0ms, start_delay: 3s}
                     ^~~~
flows.yaml:11:39: error: max_output: expected 1B to 256MiB, got "1GiB"
   a: {max_attempts: many, max_output: 1GiB, timeout: 0ms, start_delay: 3s}
                                       ^~~~
flows.yaml:11:54: error: timeout: expected 1ms to 30d, got "0ms"
   a: {max_attempts: many, max_output: 1GiB, timeout: 0ms, start_delay: 3s}
                                                      ^~~
flows.yaml:11:59: error: unknown key "start_delay" in a; known keys are max_attempts, base_delay, max_delay, timeout, max_output, steps, on_new_version, limits, retention
   a: {max_attempts: many, max_output: 1GiB, timeout: 0ms, start_delay: 3s}
                                                           ^~~~~~~~~~~
flows.yaml:12:3: error: "A" is given twice: "a" is the same but for case
   A:
   ^)");
}

TEST_CASE("each mistake has a kind of its own") {
  CHECK(kinds("wroker: 1") == std::vector<std::string>{"unknown_key"});
  CHECK(kinds("worker:\n  slots: é\n    vital\n") == std::vector<std::string>{"bad_type"});
  CHECK(kinds("worker: []") == std::vector<std::string>{"bad_type"});
  CHECK(kinds("worker: {slots: 99999}") == std::vector<std::string>{"out_of_range"});
  CHECK(kinds("log: {level: loud}") == std::vector<std::string>{"bad_value"});
  CHECK(kinds("log: {}\nlog: {}") == std::vector<std::string>{"duplicate_key"});
  CHECK(kinds("log: {") == std::vector<std::string>{"bad_yaml"});
}

TEST_CASE("counts of workers and restarts have limits") {
  CHECK(printed("worker:\n  count: 65\n") ==
        "flows.yaml:2:10: error: count: expected 1 to 64, got \"65\"\n   count: 65\n          ^~");
  CHECK(printed("supervisor: {max_restarts: -1, max_seconds: 5s}\n") ==
        "flows.yaml:1:28: error: max_restarts: expected 0 to 1000, got \"-1\"\n supervisor: "
        "{max_restarts: -1, max_seconds: 5s}\n                            ^~\nflows.yaml:1:45: "
        "error: "
        "max_seconds: expected a whole number, got \"5s\"\n supervisor: {max_restarts: -1, "
        "max_seconds: 5s}\n                                             ^~");
}

TEST_CASE("the root must be a mapping") {
  CHECK(printed("- a\n- b\n") ==
        "flows.yaml:1:1: error: the configuration: expected a mapping, got a list\n - a\n ^");
  CHECK(printed("hello\n") ==
        "flows.yaml:1:1: error: the configuration: expected a mapping, got \"hello\"\n hello\n "
        "^~~~~");
}

TEST_CASE("an unknown key without a near one lists those there are") {
  CHECK(printed("timezone: UTC\n") ==
        "flows.yaml:1:1: error: unknown key \"timezone\" in the configuration; known keys are "
        "database, "
        "plugins, worker, "
        "supervisor, retention, flows, log\n timezone: UTC\n ^~~~~~~~");
}

TEST_CASE("a key that has a mapping where a text belongs says what it met") {
  CHECK(
      printed("worker:\n  lease: [1]\n") ==
      "flows.yaml:2:10: error: lease: expected a duration such as \"500ms\" or \"2s\", got a list\n"
      "   lease: [1]\n          ^");
  CHECK(printed("? [a, b]\n: 3\n") ==
        "flows.yaml:1:3: error: the configuration: expected a name before the \":\", got a list\n "
        "? [a, b]\n   ^");
}

TEST_CASE("a key without a value is pointed at itself") {
  CHECK(printed("worker:\n  slots:\n  lease: 2s\n") ==
        "flows.yaml:2:3: error: slots: expected a whole number, got nothing\n   slots:\n   ^~~~~");
}

TEST_CASE("a number without its unit is no duration") {
  CHECK(
      printed("worker: {lease: 15}\n") ==
      "flows.yaml:1:17: error: lease: expected a duration such as \"500ms\" or \"2s\", got \"15\"\n"
      " worker: {lease: 15}\n                 ^~");
}

TEST_CASE("a database that is no URL is refused") {
  CHECK(printed("database: shop\n") ==
        "flows.yaml:1:11: error: database: expected a PostgreSQL URL such as "
        "\"postgresql://user@host:5432/name\", or keywords such as \"host=a,b dbname=name\" (no "
        "line at all: the private PostgreSQL), got \"shop\"\n"
        " database: shop\n           ^~~~");
  CHECK(printed("database: \"=shop\"\n").contains("expected a PostgreSQL URL"));
}

TEST_CASE("what is said of a database is checked") {
  CHECK(printed("database: {url: shop, migrate: maybe}\n") ==
        "flows.yaml:1:17: error: url: expected a PostgreSQL URL such as "
        "\"postgresql://user@host:5432/name\", or keywords such as \"host=a,b dbname=name\" (no "
        "line at all: the private PostgreSQL), got \"shop\"\n"
        " database: {url: shop, migrate: maybe}\n                 ^~~~\n"
        "flows.yaml:1:32: error: migrate: expected one of false, true, got \"maybe\"\n"
        " database: {url: shop, migrate: maybe}\n                                ^~~~~");
}

TEST_CASE("plugin folders and sums are checked one by one") {
  CHECK(printed("plugins:\n  folders: [ok, \"\", ok/, {a: b}]\n  sha256_allow: [abc]\n") ==
        R"(flows.yaml:2:17: error: folders: expected a folder's name, got ""
   folders: [ok, "", ok/, {a: b}]
                 ^~
flows.yaml:2:21: error: folders: "ok/" is listed twice
   folders: [ok, "", ok/, {a: b}]
                     ^~~
flows.yaml:2:26: error: folders: expected a list of folders such as [plugins], got a mapping
   folders: [ok, "", ok/, {a: b}]
                          ^
flows.yaml:3:18: error: sha256_allow: expected 64 hexadecimal digits, as sha256sum prints them, got "abc"
   sha256_allow: [abc]
                  ^~~)");
  CHECK(printed("plugins: {folders: plugins}") ==
        "flows.yaml:1:20: error: folders: expected a list of folders such as [plugins], got "
        "\"plugins\"\n"
        " plugins: {folders: plugins}\n                    ^~~~~~~");
}

TEST_CASE("characters of several bytes and wide ones do not misplace the caret") {
  CHECK(printed("flows: {ünïcode日本: 3}\n") ==
        "flows.yaml:1:9: error: slug \"ünïcode日本\" has characters a slug may not have (letters, "
        "digits and _ "
        "only, not beginning with a digit)\n flows: {ünïcode日本: 3}\n         ^~~~~~~~~~~");
  CHECK(printed("plugins: {folders: [日本語, ümläut], sha256_allow: 1}\n") ==
        "flows.yaml:1:49: error: sha256_allow: expected a list of SHA-256 sums, got \"1\"\n"
        " plugins: {folders: [日本語, ümläut], sha256_allow: 1}\n"
        "                                                    ^");
}

TEST_CASE("the caret spans a quoted value with its quotes") {
  CHECK(printed("worker: {slots: 'it''s'}\n") ==
        "flows.yaml:1:17: error: slots: expected a whole number, got \"it's\"\n worker: {slots: "
        "'it''s'}\n"
        "                 ^~~~~~~");
}

TEST_CASE("a tab in the indentation is named and pointed at") {
  CHECK(printed("worker:\n\tslots: 3\n") ==
        "flows.yaml:2:1: error: not YAML: a tab in the indentation, where only spaces are "
        "allowed\n \tslots: 3\n ^");
  CHECK(printed("worker:\n  slots: 3\n  \tlease: 2s\n") ==
        "flows.yaml:3:3: error: not YAML: a tab in the indentation, where only spaces are allowed\n"
        "   \tlease: 2s\n   ^");
}

TEST_CASE("what is no YAML is explained at its place") {
  CHECK(printed("log: level: info\n") ==
        "flows.yaml:1:11: error: not YAML: a key is not allowed here: quote a value that contains "
        "\": "
        "\", or add the "
        "\":\" that is missing in the line before\n log: level: info\n           ^");
  CHECK(printed("plugins: {folders: [a, b\n\n\n") ==
        "flows.yaml:1:25: error: not YAML: a list that begins with \"[\" is not closed with \"]\"\n"
        " plugins: {folders: [a, b\n                         ^");
  CHECK(printed("worker:\n  slots: 1\n lease: 2s\n") ==
        "flows.yaml:3:2: error: not YAML: this line is neither aligned with the keys before it nor "
        "indented further than one of them\n  lease: 2s\n  ^");
  CHECK(printed("database: @x\n") ==
        "flows.yaml:1:11: error: not YAML: a value cannot begin with this character: quote it\n "
        "database: @x\n"
        "           ^");
  CHECK(printed("worker: {}\n---\nlog: {}\n") ==
        "flows.yaml:3:1: error: a second document begins before here: only one is read\n log: {}\n "
        "^");
}

TEST_CASE("a quote that is never closed is refused where it begins") {
  CHECK(printed("database: \"postgresql://x\nlog: {}\n") ==
        "flows.yaml:1:11: error: not YAML: this quote is never closed\n database: "
        "\"postgresql://x\n           ^");
}

TEST_CASE("bytes that are no UTF-8 and control characters are refused with their value") {
  CHECK(printed("log: {level: \xff}\n") ==
        "flows.yaml:1:14: error: not YAML: not UTF-8 (byte 0xff)\n log: {level: \uFFFD}\n          "
        "    ^");
  CHECK(printed("log: {level: \x04}\n") ==
        "flows.yaml:1:14: error: not YAML: a control character (0x04)\n log: {level: \uFFFD}\n     "
        "         ^");
}

TEST_CASE("a file nested a thousand deep is refused and harms nobody") {
  const std::string deep = printed(std::string(3000, '['));
  CHECK(deep.starts_with("flows.yaml:1:"));
  CHECK(deep.contains("error: not YAML: "));
}
