#include "bench/measure/processor_time.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <sys/resource.h>
#include <unistd.h>

namespace weir::bench {
namespace {

double seconds_of_ticks(long ticks) {
  static const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return static_cast<double>(ticks) / per_second;
}

// What /proc says of a process.
struct Process {
  pid_t parent = 0;
  double seconds = 0;
  double children_seconds = 0;  // of those that have ended
};

std::optional<Process> process(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const std::size_t name_end = line.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string ignored;
  Process found;
  fields >> ignored >> found.parent;
  for (int i = 0; i < 9; ++i) fields >> ignored;  // pgrp to cmajflt
  long user = 0, system = 0, children_user = 0, children_system = 0;
  fields >> user >> system >> children_user >> children_system;
  if (!fields) return std::nullopt;
  found.seconds = seconds_of_ticks(user + system);
  found.children_seconds = seconds_of_ticks(children_user + children_system);
  return found;
}

double of_server(pid_t server) {
  double seconds = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc() || end != name.data() + name.size()) continue;
    const auto found = process(pid);
    if (!found) continue;
    if (pid == server) seconds += found->seconds + found->children_seconds;
    if (found->parent == server) seconds += found->seconds;
  }
  return seconds;
}

double of_usage(int whose) {
  rusage usage{};
  ::getrusage(whose, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

double of_machine() {
  std::ifstream file("/proc/stat");
  std::string name;
  long user = 0, nice = 0, system = 0, idle = 0, waiting = 0, irq = 0, soft_irq = 0, stolen = 0;
  file >> name >> user >> nice >> system >> idle >> waiting >> irq >> soft_irq >> stolen;
  return seconds_of_ticks(user + nice + system + irq + soft_irq + stolen);
}

}  // namespace

ProcessorTime processor_time(pid_t server) {
  return {.server = server == 0 ? 0 : of_server(server),
          .own = of_usage(RUSAGE_SELF) + of_usage(RUSAGE_CHILDREN),
          .machine = of_machine()};
}

pid_t server_of_backend(pid_t backend) {
  const auto found = process(backend);
  return found ? found->parent : 0;
}

Memory resident_memory(pid_t pid) {
  constexpr std::string_view now = "VmRSS:", most = "VmHWM:";  // in kB
  Memory found;
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(now)) found.now = 1024 * std::stod(line.substr(now.size()));
    if (line.starts_with(most)) found.most = 1024 * std::stod(line.substr(most.size()));
  }
  return found;
}

}  // namespace weir::bench
