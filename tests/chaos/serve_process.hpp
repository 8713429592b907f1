#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include <sys/types.h>

namespace weir::testing {

/// What serves in a chaos test, unless configured otherwise: the built example plugins.
struct ServeConfig {
  std::string database;
  std::string plugins = WEIR_PLUGINS;  ///< a folder
  /// Outlasts a machine that stands still for a while, so that an attempt is lost by a mistake of
  /// ours alone. Short where servers are killed: their runs are free when it is over.
  std::chrono::seconds lease{30};
  std::chrono::seconds drain_timeout{10};
  std::string more = {};  ///< further lines
};

/// Writes its flows.yaml into `folder`.
void write_serve_config(const std::filesystem::path& folder, const ServeConfig& config);

/// A `weir serve` process. Killed, if it still runs, when the object goes.
class ServeProcess {
 public:
  /// Starts it in `folder`, its log appended to serve.log there. Throws when it cannot be started.
  explicit ServeProcess(const std::filesystem::path& folder);
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;
  ServeProcess(ServeProcess&& other) noexcept;
  ServeProcess& operator=(ServeProcess&& other) noexcept;
  ~ServeProcess();

  /// SIGKILL, and waits until it is gone.
  void kill_now();

  /// SIGTERM, and its exit status once it has drained.
  int terminate();

 private:
  pid_t pid_ = -1;
};

}  // namespace weir::testing
