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

/// How isolated children are started, and how long they are waited for.
struct IsolatedOptions {
  std::filesystem::path program = "/proc/self/exe";  ///< calls run_isolated_child() when given
  std::vector<std::string> arguments = {"internal", "isolate"};  ///< these
  std::size_t processes = 8;                        ///< at most so many for a version of a plugin
  std::int64_t memory_bytes = 0;                    ///< of address space for each; 0: no limit
  std::chrono::milliseconds start_patience{5'000};  ///< for loading the plugin
  /// For a step that was told to stop, before its process is killed. Less than Flights::stop_grace,
  /// so that the slot is free before the worker counts it as stuck.
  std::chrono::milliseconds stop_grace{500};
  std::chrono::milliseconds idle_max{30'000};  ///< then all but one that have nothing to do end
  std::chrono::milliseconds farewell{1'000};   ///< for ending what steps shared
};

/// One call, as the plugin's steps are counted: the flow in the manifest's order, the step in its
/// definition's.
struct IsolatedTarget {
  std::uint32_t flow = 0;
  std::uint32_t step = 0;
};

/// A process that runs the steps of one plugin, one call at a time.  [one thread at a time]
class IsolatedChild {
 public:
  /// Returns once the plugin is loaded there. Errors: as PluginHost::open. When the process died of
  /// it, or took too long, load_failed.
  static std::expected<std::unique_ptr<IsolatedChild>, PluginError> start(
      const IsolatedOptions& options, const PluginInspection& plugin, const StagedCopy& staged);

  /// What became of a call. After anything but `answered` this object is good for end_text()
  /// and crash_text() alone.
  enum class CallEnd {
    answered,   ///< `returned` is what the step did; host.output or host.fail were told
    crashed,    ///< the process ended during the call
    killed,     ///< it did not stop when told to
    not_begun,  ///< the process was gone before it began the call
  };

  /// Runs a step there, with `host` and `call` of a step's `run` here: its lines go to host.log,
  /// host.cancelled is looked at every 20 ms and passed on.
  CallEnd run(IsolatedTarget target, const weir_host& host, weir_call* call, weir_str input,
              std::int32_t& returned);

  /// How the process ended: "signal 11 (SIGSEGV)", "exit status 3".
  const std::string& end_text() const noexcept { return end_text_; }

  /// What its flight recorder tells of a crashed call, frames and all; empty when nothing.
  const std::string& crash_text() const noexcept { return crash_text_; }

  bool filters_system_calls() const noexcept { return filtered_; }
  pid_t pid() const noexcept { return process_.pid(); }

  /// Tells it that nothing comes any more; finish() waits for its end.
  void dismiss() noexcept;

  /// Waits for the end of a dismissed one until `deadline`, then kills it.
  void finish(std::chrono::steady_clock::time_point deadline);

 private:
  IsolatedChild(const IsolatedOptions& options, ChildProcess process, FileDescriptor channel,
                FileDescriptor control, FlightRecorder recorder, std::filesystem::path stage);

  std::optional<PluginError> open(const PluginInspection& plugin, const StagedCopy& staged,
                                  std::chrono::milliseconds patience);
  bool may_wait_on(const weir_host& host, weir_call* call);
  CallEnd await(const weir_host& host, weir_call* call, std::int32_t& returned);
  CallEnd kill();
  CallEnd died(WireEnd how);
  void describe(std::string end);

  const std::chrono::milliseconds stop_grace_;
  const std::int64_t memory_bytes_;
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
