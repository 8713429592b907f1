#include "chaos/serve_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weir::testing {
namespace {

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

}  // namespace

void write_serve_config(const std::filesystem::path& folder, const ServeConfig& config) {
  std::ofstream out(folder / "flows.yaml");
  out << "database: {url: \"" << config.database << "\", migrate: true}\n"
      << "plugins: {folders: [\"" << config.plugins << "\"]}\n"
      << "worker: {slots: 8, lease: " << config.lease.count()
      << "s, drain_timeout: " << config.drain_timeout.count() << "s}\n"
      << config.more;
}

ServeProcess::ServeProcess(const std::filesystem::path& folder) {
  const std::string config = (folder / "flows.yaml").string();
  const std::string log = (folder / "serve.log").string();
  std::array<std::string, 4> words = {WEIR_PROGRAM, "--config", config, "serve"};
  std::array<char*, 5> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const int failed =
      ::posix_spawn(&pid_, WEIR_PROGRAM, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("cannot start " WEIR_PROGRAM);
}

ServeProcess::ServeProcess(ServeProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

ServeProcess& ServeProcess::operator=(ServeProcess&& other) noexcept {
  if (this == &other) return *this;
  kill_now();
  pid_ = std::exchange(other.pid_, -1);
  return *this;
}

ServeProcess::~ServeProcess() { kill_now(); }

void ServeProcess::kill_now() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait_for(std::exchange(pid_, -1));
}

int ServeProcess::terminate() {
  ::kill(pid_, SIGTERM);
  return wait_for(std::exchange(pid_, -1));
}

}  // namespace weir::testing
