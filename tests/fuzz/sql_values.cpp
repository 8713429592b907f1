#include "fuzz/sql_values.hpp"

#include <array>

#include <fmt/core.h>

namespace weir::testing {
namespace {

using Texts = std::vector<std::string>;

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

const Texts& odd_texts() {
  static const Texts texts = {"",
                              " ",
                              "x",
                              "run",
                              "RUN",
                              "Held",
                              "TARGET",
                              "INNOCENT",
                              "null",
                              "NULL",
                              "{}",
                              "{a,b}",
                              "0",
                              "-1",
                              "infinity",
                              "'",
                              "'; drop table weir.run; --",
                              "\\",
                              "\"",
                              "%s%n%1$s",
                              "a\nb",
                              "\x01\x7f",
                              "größe",
                              "\xE2\x80\xAE",
                              "\xF0\x9F\x98\x80",
                              "\xFF\xFE",
                              "\xC0\x80",
                              repeated("x", 129),
                              repeated("ü", 128),
                              repeated("y", 256),
                              repeated("long ", 20000),
                              "a.b",
                              "/",
                              "/k",
                              "~2",
                              "/~",
                              "@every 1s",
                              "* * * * *",
                              "*/0 * * * *",
                              "60 * * * *",
                              "1/1d",
                              "0/1s",
                              "9999999999/1s",
                              "1/0s",
                              "Europe/Berlin",
                              "Nowhere/Land",
                              "<+99>-99",
                              "completed",
                              "gone"};
  return texts;
}

const Texts& odd_jsons() {
  static const Texts texts = {
      "null",
      "true",
      "0",
      "-0",
      "-0.0",
      "\"\"",
      "[]",
      "{}",
      "[null]",
      "[[],[[]]]",
      "0e2000000000",
      "1e131071",
      "1e131072",
      "1e-16383",
      "1e400",
      "9223372036854775808",
      "-9223372036854775809",
      "123456789012345678901234567890.123456789",
      R"({"a":1,"a":2,"a":null})",
      R"("\u0000")",
      R"({"\u0000":1})",
      R"("\ud800")",
      R"("\ud83d\ude00")",
      R"({"":{"":{"":[]}}})",
      "{",
      "nul",
      "",
      R"("a\nb\t\\")",
      R"([1,"1",1.0,1e0,true,null,{},[]])",
      repeated("[", 500) + repeated("]", 500),
      repeated("[", 20000) + repeated("]", 20000),
      repeated(R"({"a":)", 3000) + "1" + repeated("}", 3000),
      "\"" + repeated("z", 100000) + "\"",
      R"({"steps":[]})",
      R"({"steps":null})",
      R"({"steps":5})",
      R"({"steps":[{}]})",
      R"({"steps":[{"slug":"a","kind":"single"}]})",
      R"([{"index":0}])",
      R"({"steps":[{"slug":"a","kind":"map","depends_on":["a"]}]})",
      R"({"steps":[{"slug":"a","kind":"map","depends_on":["b"]},{"slug":"b","kind":"map","depends_on":["a"]}]})",
      R"({"steps":[{"slug":"a","kind":"single","depends_on":["b",null]}]})",
      R"([{"index":1e30,"output":1}])",
      R"([{"index":0,"outcome":"lost"}])",
      R"([{"index":null}])",
      R"([{"index":0,"output":null,"started_at":"infinity"}])",
      R"([{"index":0,"outcome":"failed","retry_after_ms":1e300}])",
      R"([{"index":0,"outcome":{},"error":[]}])"};
  return texts;
}

const Texts& odd_times() {
  static const Texts texts = {"infinity",
                              "-infinity",
                              "4714-11-24 00:00:00+00 BC",
                              "294276-12-31 23:59:59.999999+00",
                              "epoch",
                              "0001-01-01 00:00+00",
                              "0001-01-01 00:00+00 BC",
                              "9999-12-30 23:59:59.999999+00",
                              "9999-12-31 00:00+00",
                              "2999-01-01",
                              "1969-12-31",
                              "now",
                              "24:00",
                              "soon"};
  return texts;
}

const Texts& odd_intervals() {
  static const Texts texts = {"0",
                              "1 microsecond",
                              "-1 microsecond",
                              "178000000 years",
                              "-178000000 years",
                              "2147483647 months",
                              "-2147483648 days",
                              "1000 years",
                              "-1000 years",
                              "1001 years",
                              "365 days",
                              "P1Y",
                              "infinity",
                              "1 month -30 days",
                              "2562047788 hours",
                              "-1 day"};
  return texts;
}

const Texts& odd_numbers(std::string_view type) {
  static const Texts small = {"0",     "1",      "-1",    "2",     "3",  "7",
                              "32767", "-32768", "32766", "32768", "1e3"};
  static const Texts integer = {"0",          "1",           "-1",         "2",   "3",      "7",
                                "2147483647", "-2147483648", "2147483646", "100", "100000", "x"};
  static const Texts big = {"0",
                            "1",
                            "-1",
                            "2",
                            "3",
                            "1000",
                            "9223372036854775807",
                            "-9223372036854775808",
                            "9223372036854775806",
                            "86400001",
                            "4611686018427387904",
                            "x"};
  return type == "smallint" ? small : type == "integer" ? integer : big;
}

}  // namespace

std::string sql_array(const std::vector<std::optional<std::string>>& elements) {
  std::string text = "{";
  for (const auto& element : elements) {
    if (text.size() > 1) text += ',';
    if (!element) {
      text += "NULL";
      continue;
    }
    text += '"';
    for (const char byte : *element) {
      if (byte == '"' || byte == '\\') text += '\\';
      text += byte;
    }
    text += '"';
  }
  return text + '}';
}

void SqlValues::begin_call(std::string_view function) {
  constexpr std::array<std::uint64_t, 4> how_wild = {0, 30, 150, 500};
  function_ = function;
  worker_.clear();
  wildness_ = how_wild[below(how_wild.size())];
  lengths_.clear();
}

std::optional<std::string> SqlValues::argument(const SqlParameter& parameter) {
  if (below(1000) < wildness_) return wild(parameter.type);
  return plausible_scalar(parameter.name, parameter.type);
}

std::string SqlValues::pooled(const Texts& values, std::string_view otherwise) {
  return values.empty() ? std::string(otherwise) : any_of(values);
}

/// Mostly of the worker that the call names.
std::string SqlValues::held(const std::map<std::string, Texts>& by_worker) {
  if (by_worker.empty()) return "5";
  if (const auto own = by_worker.find(worker_); own != by_worker.end() && !one_in(8))
    return any_of(own->second);
  return any_of(
      std::next(by_worker.begin(), static_cast<std::ptrdiff_t>(below(by_worker.size())))->second);
}

std::string SqlValues::uuid() {
  return fmt::format("{:08x}-{:04x}-7{:03x}-8{:03x}-{:012x}", below(1ULL << 32), below(1 << 16),
                     below(1 << 12), below(1 << 12), below(1ULL << 48));
}

std::optional<std::string> SqlValues::plausible_scalar(const std::string& name,
                                                       const std::string& type) {
  if (!type.ends_with("[]")) return plausible(name, type);
  const char group = name.size() > 1 && name[1] == '_' && name[0] != 'p' ? name[0] : '-';
  const auto length = lengths_.try_emplace(group, below(4)).first->second;
  std::vector<std::optional<std::string>> elements;
  const std::string element = type.substr(0, type.size() - 2);
  for (std::uint64_t i = 0; i < length; ++i) elements.emplace_back(plausible(name, element));
  return sql_array(elements);
}

std::string SqlValues::plausible(const std::string& name, const std::string& type) {
  if (type == "boolean") return one_in(2) ? "true" : "false";
  if (type == "timestamp with time zone")
    return fmt::format("2026-11-{:02} 12:00+00", 1 + below(28));
  if (type == "interval") return fmt::format("{} seconds", below(1000));
  if (type == "uuid")
    return function_.starts_with("start")
               ? uuid()
               : pooled(pools.run_uuids, "01910000-0000-7000-8000-000000000017");
  if (type == "jsonb") return plausible_json(name);
  if (type == "text") return plausible_text(name);
  return plausible_number(name);
}

std::string SqlValues::plausible_text(const std::string& name) {
  if (name == "p_slug") return pooled(pools.slugs, "held");
  if (name.contains("flow")) return pooled(pools.flows, "held");
  if (name == "cron" || name == "expression")
    return any_of(
        Texts{"* * * * *", "*/5 0-6 1,15 * mon-fri", "@every 90s", "@daily", "0 0 29 2 *"});
  if (name == "time_zone") return any_of(Texts{"UTC", "Europe/Berlin", "America/St_Johns"});
  if (name == "missed") return any_of(Texts{"run", "skip"});
  if (name == "name") return function_ == "signal" ? "go" : fmt::format("schedule {}", below(9));
  if (name == "status")
    return any_of(Texts{"queued", "running", "completed", "failed", "cancelled"});
  if (name.contains("rate")) return fmt::format("{}/1s", 1 + below(1000));
  if (name == "key") return any_of(Texts{"/k", "/a/b", "/~0~1"});
  if (name.contains("sha256") || name == "p_fingerprint")
    return repeated(fmt::format("{:02x}", below(30)), 32);
  if (name == "p_module") return "test.Fuzzed";
  if (name == "p_name") return any_of(Texts{"completed", "failed", "lost", "skipped"});
  if (name == "steps") return any_of(Texts{"each", "echo", "go"});
  return fmt::format("text {}", below(50));
}

std::string SqlValues::plausible_json(const std::string& name) {
  if (name == "p_definition") return pooled(pools.definitions, "{}");
  if (name == "results")
    return fmt::format(R"([{{"index": {}, "outcome": "{}", "output": [1]}}])", below(3),
                       any_of(Texts{"completed", "failed", "timed_out"}));
  if (name == "p_plugins")
    return R"([{"path": "/p.so", "sha256": "00", "state": "published", "flows": ["held"]}])";
  if (one_in(4)) return any_of(odd_jsons());
  return any_of(Texts{"null", "7", R"({"k": "ann", "a": {"b": 1}})", "[1, 2, 3]", R"(["a", null])",
                      R"({"type": "object"})"});
}

std::string SqlValues::plausible_number(const std::string& name) {
  if (name.ends_with("worker")) {
    const bool ends = function_ == "leave_as_worker" || function_ == "end_crashed_worker";
    if (pools.sequences.empty() || one_in(10) == !ends) return pooled(pools.dead_workers, "5");
    auto chosen = pools.sequences.begin();
    std::advance(chosen, static_cast<std::ptrdiff_t>(below(pools.sequences.size())));
    return worker_ = chosen->first;
  }
  if (name == "p_sequence")
    return worker_.empty() ? "1" : std::to_string(pools.sequences[worker_] + 1);
  if (name.contains("version"))
    return function_.starts_with("start") ? "1" : pooled(pools.versions, "1");
  if (name.ends_with("_ms")) return std::to_string(60'000 + below(60'000));
  if (name.contains("run") && !name.contains("max")) return held(pools.runs);
  if (name == "share") return held(pools.shares);
  if (name.contains("attempt")) return std::to_string(1 + below(3));
  if (name.contains("outcome")) return std::to_string(1 + below(6));
  if (name.contains("status")) return std::to_string(1 + below(3));
  if (name == "priority") return std::to_string(static_cast<int>(below(201)) - 100);
  if (name.contains("step")) return std::to_string(below(2));
  return std::to_string(below(5));
}

std::optional<std::string> SqlValues::wild(const std::string& type) {
  if (one_in(5)) return std::nullopt;
  if (type.ends_with("[]")) return wild_array(type.substr(0, type.size() - 2));
  return wild_scalar(type);
}

std::string SqlValues::wild_array(const std::string& element) {
  switch (below(8)) {
    case 0:
      return any_of(Texts{"{{1,2},{3,4}}", "[5:6]={1,2}", "{{{}}}", "{{a,b},{c,d}}", "{", "{NULL}",
                          "{{null,null}}", "[-2147483648:-2147483647]={1,2}"});
    case 1:
      return "{}";
    default:
      break;
  }
  std::vector<std::optional<std::string>> elements;
  for (std::uint64_t left = one_in(50) ? 500 : below(6); left > 0; --left) {
    elements.emplace_back(wild_scalar(element));
    if (one_in(6)) elements.back().reset();
  }
  return sql_array(elements);
}

std::string SqlValues::wild_scalar(const std::string& type) {
  if (type == "text") return any_of(odd_texts());
  if (type == "jsonb") return any_of(odd_jsons());
  if (type == "boolean") return one_in(9) ? "perhaps" : "true";
  if (type == "timestamp with time zone") return any_of(odd_times());
  if (type == "interval") return any_of(odd_intervals());
  if (type == "uuid")
    return any_of(Texts{uuid(), "00000000-0000-0000-0000-000000000000",
                        "ffffffff-ffff-ffff-ffff-ffffffffffff", "none", ""});
  return one_in(3) ? std::to_string(static_cast<std::int64_t>(random_()) % 40'000)
                   : any_of(odd_numbers(type));
}

}  // namespace weir::testing
