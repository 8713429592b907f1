#include "bench/engine/program.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/json.hpp"

namespace weir::bench {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> names{
    {{"per_s", "per_s"},
     {"pg_cpu_us", "server_us"},
     {"client_cpu_us", "client_us"},
     {"wal_b", "wal_bytes"},
     {"commits", "commits"},
     {"noise_cores", "noise_cores"},
     {"p50_ms", "p50_ms"},
     {"p99_ms", "p99_ms"},
     {"p999_ms", "p999_ms"}}};

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));  // npos + 1 is 0
}

}  // namespace

Result<Figures> figures_of_program(const std::string& command) {
  const auto failed = [&](const std::string& how) {
    return std::unexpected(Error{.code = ErrorCode::unavailable, .message = command + " " + how});
  };
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return failed("cannot be started");
  std::string text;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
  if (::pclose(pipe) != 0) return failed("failed");
  const auto line = Json::parse(last_line(text));
  if (!line || line->type() != JsonType::object) return failed("printed no line of JSON");
  Figures figures;
  for (const auto& [key, value] : line->members())
    for (const auto& [theirs, ours] : names)
      if (key == theirs && value.type() == JsonType::number)
        figures[std::string(ours)] = std::strtod(std::string(value.text()).c_str(), nullptr);
  if (figures.empty()) return failed("printed no figures");
  return figures;
}

}  // namespace weir::bench
