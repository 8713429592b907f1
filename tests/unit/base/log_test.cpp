#include "base/log.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "support/log_lines.hpp"

namespace weir {
namespace {

using testing::LogLines;

// Counts how often it is formatted, and throws when it is set to.
struct Counted {
  int& formatted;
  bool throws = false;
};

}  // namespace
}  // namespace weir

template <>
struct fmt::formatter<weir::Counted> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  auto format(const weir::Counted& counted, fmt::format_context& context) const {
    ++counted.formatted;
    if (counted.throws) throw std::runtime_error("out of words");
    return context.out();
  }
};

namespace weir {

TEST_SUITE("base: log") {
  TEST_CASE("what matters less than the least level is neither said nor formatted") {
    const LogLines lines;
    const auto log = lines.log(LogLevel::warn);
    int formatted = 0;
    log->debug("debug{}", Counted{formatted});
    log->info("info{}", Counted{formatted});
    CHECK(formatted == 0);
    log->warn("warn{}", Counted{formatted});
    log->error("error{} {}", Counted{formatted}, 7);
    CHECK(formatted == 2);
    log->write(LogLevel::info, "ready info");
    log->write(LogLevel::error, "ready {error}");
    CHECK(lines.with_levels() == "warning: warn\nerror: error 7\nerror: ready {error}\n");
    CHECK_FALSE(log->enabled(LogLevel::info));
    CHECK(log->enabled(LogLevel::warn));
  }

  TEST_CASE("a log that is off says nothing, and one without a sink formats nothing") {
    const LogLines lines;
    lines.log(LogLevel::off)->error("lost");
    CHECK(lines.text().empty());
    int formatted = 0;
    Log silent, no_sink(nullptr, LogLevel::trace);
    for (Log* log : {&silent, &no_sink}) {
      log->error("{}", Counted{formatted});
      log->write(LogLevel::error, "ready");
      CHECK_FALSE(log->enabled(LogLevel::error));
    }
    CHECK(formatted == 0);
  }

  TEST_CASE("a formatter that throws does so to nobody but the log") {
    const LogLines lines;
    int formatted = 0;
    lines.log()->warn("run {}: {}", 7, Counted{.formatted = formatted, .throws = true});
    CHECK(formatted == 1);
    CHECK(lines.with_levels() == "warning: run {}: {} (not formatted: out of words)\n");
  }

  TEST_CASE("a sink that throws costs its line and no other") {
    std::string kept;
    Log log([&](LogLevel level, std::string_view line) {
      if (level == LogLevel::error) throw std::runtime_error("disk full");
      if (level == LogLevel::warn) throw 7;
      kept += line;
    });
    log.error("{} is lost", 1);
    log.warn("{} too", 2);
    log.write(LogLevel::error, "and this");
    log.info("{} stays", 3);
    CHECK(kept == "3 stays");
  }

  TEST_CASE("lines of several threads come one at a time and whole") {
    constexpr int threads = 4, each = 500;
    std::string text;  // guarded by nothing but the log
    Log log([&](LogLevel, std::string_view line) {
      for (const char c : line) text += c;
      text += '\n';
    });
    std::vector<std::thread> writers;
    for (int i = 0; i < threads; ++i)
      writers.emplace_back([&log, i] {
        for (int n = 0; n < each; ++n) log.info("thread {} line {}", i, n);
      });
    for (std::thread& writer : writers) writer.join();
    CHECK(std::ranges::count(text, '\n') == threads * each);
    for (int i = 0; i < threads; ++i)
      for (int n = 0; n < each; ++n) {
        const std::string line = fmt::format("thread {} line {}\n", i, n);
        REQUIRE(text.contains(line));
      }
  }
}

}  // namespace weir
