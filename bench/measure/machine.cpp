#include "bench/measure/machine.hpp"

#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include "base/json.hpp"

namespace weir::bench {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

#ifdef __clang__
constexpr std::string_view compiler = "clang " __clang_version__;
#else
constexpr std::string_view compiler = "g++ " __VERSION__;
#endif

}  // namespace

std::vector<std::string> machine(const std::string& versions) {
  utsname system{};
  ::uname(&system);
  return {fmt::format("{}, {} cores, {} {}", processor(), std::thread::hardware_concurrency(),
                      system.sysname, system.release),
          versions.empty() ? std::string(compiler) : fmt::format("{}, {}", compiler, versions),
          fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)))};
}

std::string json_of_machine(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += (all.empty() ? "" : ",") + json_quoted(line);
  return R"({"machine":[)" + all + "]}";
}

}  // namespace weir::bench
