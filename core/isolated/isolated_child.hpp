#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weir/abi/plugin.h>

#include "base/child_process.hpp"
#include "isolated/wire.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/staged_copy.hpp"
#include "step/flight_recorder.hpp"

namespace weir {

/// How isolated children are started, and how long to wait for them.
struct IsolatedOptions {
  /// Must call run_isolated_child() when it gets these arguments.
  std::filesystem::path program = "/proc/self/exe";
  std::vector<std::string> arguments = {"internal", "isolate"};
  std::size_t processes = 8;      ///< at most that many for a version of a plugin
  std::int64_t memory_bytes = 0;  ///< of writable memory for each process; 0: no limit
  std::chrono::milliseconds start_patience{5'000};  ///< for loading the plugin
  /// The time for a step to stop when requested, before its process is killed. Less than
  /// Flights::stop_grace, so that the slot is free before the worker counts it as stuck.
  std::chrono::milliseconds stop_grace{500};
  std::chrono::milliseconds idle_max{30'000};  ///< idle processes end after this time, all but one
  std::chrono::milliseconds end_patience{1'000};  ///< for ending the resources that steps shared
};

/// Identifies a step of a plugin: the flow by its position in the manifest, the step by its
/// position in the definition.
struct IsolatedTarget {
  std::uint32_t flow = 0;
  std::uint32_t step = 0;
};

/// A process that runs the steps of one plugin, one call at a time.  [one thread at a time]
class IsolatedChild {
 public:
  /// Starts a process and returns once the plugin is loaded in it. Errors: as PluginHost::open;
  /// load_failed when loading ended the process or took too long.
  static std::expected<std::unique_ptr<IsolatedChild>, PluginError> start(
      const IsolatedOptions& options, const PluginInspection& plugin, const StagedCopy& staged);

  /// How a call ended. After anything but `answered`, only end_text() and crash_text() of this
  /// object may be used.
  enum class CallEnd {
    /// `returned` is what the step returned; host.output or host.fail was called. The process may
    /// have ended since.
    answered,
    crashed,    ///< the process ended during the call
    killed,     ///< it did not stop when requested
    not_begun,  ///< the process ended before it began the call
  };

  /// Runs a step in the process, with the `host` and `call` that a step's `run` got here: log lines
  /// are passed to host.log, and host.cancelled is polled every 20 ms and passed on.
  CallEnd run(IsolatedTarget target, const weir_host& host, weir_call* call, weir_str input,
              std::int32_t& returned);

  /// How the process ended: "signal 11 (SIGSEGV)", "exit status 3"; with its memory limit, and
  /// what the kernel did meanwhile for want of memory.
  const std::string& end_text() const noexcept { return end_text_; }

  /// The crash report of a crashed call, with frames, from its flight recorder; empty if there is
  /// none.
  const std::string& crash_text() const noexcept { return crash_text_; }

  bool filters_system_calls() const noexcept { return filtered_; }
  bool has_run() const noexcept { return number_ > 0; }
  pid_t pid() const noexcept { return process_.pid(); }

  /// Requests the process to end, as no call follows; finish() waits for its end.
  void request_end() noexcept;

  /// Waits until `deadline` for the end of the process after request_end(), then kills it.
  void finish(std::chrono::steady_clock::time_point deadline);

 private:
  IsolatedChild(const IsolatedOptions& options, ChildProcess process, FileDescriptor channel,
                FileDescriptor control, FlightRecorder recorder, std::filesystem::path stage);

  std::optional<PluginError> open(const PluginInspection& plugin, const StagedCopy& staged,
                                  std::chrono::milliseconds patience);
  bool within_grace(const weir_host& host, weir_call* call);
  CallEnd await(const weir_host& host, weir_call* call, std::int32_t& returned);
  CallEnd kill();
  CallEnd handle_death(WireEnd wire_end);
  void describe(std::string end, const ProcessEnd& how);

  const std::chrono::milliseconds stop_grace_;
  const std::int64_t memory_bytes_;
  const std::optional<std::uint64_t> oom_kills_;  // when it began
  ChildProcess process_;
  FileDescriptor channel_, control_;
  FlightRecorder recorder_;
  const std::filesystem::path stage_;
  FrameReader frames_;
  bool filtered_ = false;
  std::uint64_t number_ = 0;  // of the last call
  std::optional<std::chrono::steady_clock::time_point> kill_at_;
  std::string end_text_, crash_text_;
};

}  // namespace weir
