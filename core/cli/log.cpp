#include "cli/log.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/json.hpp"
#include "base/printable.hpp"

namespace weir::cli {
namespace {

constexpr const char* time_pattern = "%Y-%m-%dT%H:%M:%S.%eZ";

class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    spdlog::memory_buf_t time;
    time_.format(message, time);
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line = json_log_line({time.data(), time.size()}, {level.data(), level.size()},
                                           {message.payload.data(), message.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  spdlog::pattern_formatter time_{time_pattern, spdlog::pattern_time_type::utc, ""};
};

spdlog::level::level_enum level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

std::string text_log_line(std::string_view message) {
  return printable(message, Newlines::indented);
}

std::string json_log_line(std::string_view time, std::string_view level, std::string_view message) {
  return fmt::format(R"({{"time":{},"level":{},"message":{}}})", json_quoted(time),
                     json_quoted(level), json_quoted(message));
}

std::shared_ptr<Log> make_log(const LogConfig& config, const Terminal& err) {
  const auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>(
      err.colour ? spdlog::color_mode::always : spdlog::color_mode::never);
  const auto logger = std::make_shared<spdlog::logger>("weir", sink);
  if (config.format == LogFormat::json)
    logger->set_formatter(std::make_unique<JsonFormatter>());
  else
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        std::string(time_pattern) + " %^%l%$ %v", spdlog::pattern_time_type::utc));
  logger->set_level(spdlog::level::trace);  // Log drops messages below config.level
  logger->flush_on(spdlog::level::info);
  return std::make_shared<Log>(
      [logger, is_text = config.format == LogFormat::text](LogLevel of_line,
                                                           std::string_view line) {
        const std::string shown = is_text ? text_log_line(line) : std::string(line);
        logger->log(level(of_line), spdlog::string_view_t(shown.data(), shown.size()));
      },
      config.level);
}

}  // namespace weir::cli
