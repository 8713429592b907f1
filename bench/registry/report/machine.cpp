#include "machine.hpp"

#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>

#include <boost/version.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#if WEIR_BENCH_TBB
#include <tbb/version.h>
#endif

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

std::vector<std::string> machine(const std::string& elixir) {
  utsname system{};
  ::uname(&system);
  std::string versions = fmt::format("{}, Boost {}.{}.{}", compiler, BOOST_VERSION / 100'000,
                                     BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100);
#if WEIR_BENCH_TBB
  versions += fmt::format(", oneTBB {}.{}", TBB_VERSION_MAJOR, TBB_VERSION_MINOR);
#endif
  if (!elixir.empty()) versions += ", " + elixir;
  return {fmt::format("{}, {} cores, {} {}", processor(), std::thread::hardware_concurrency(),
                      system.sysname, system.release),
          versions, fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)))};
}

}  // namespace weir::bench
