#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <weir/abi/plugin.h>

#include "base/child_process.hpp"
#include "isolated/pending_call.hpp"
#include "isolated/stop_line.hpp"
#include "isolated/wire.hpp"
#include "plugin/inspection.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/staged_copy.hpp"
#include "step/flight_recorder.hpp"

namespace weir {

class ChildReader;

/// How isolated children are started, and how long to wait for them.
struct IsolatedOptions {
  /// Must call run_isolated_child() when it gets these arguments.
  std::filesystem::path program = "/proc/self/exe";
  std::vector<std::string> arguments = {"internal", "isolate"};
  std::size_t processes = 8;      ///< at most that many for a version of a plugin
  std::int64_t memory_bytes = 0;  ///< of writable memory for each process; 0: no limit
  std::chrono::milliseconds start_patience{5'000};  ///< for loading the plugin
  /// The time for a step to stop when requested, before its process is killed. Less than
  /// Flights::stop_grace, so that the slot is free before the worker counts it as stuck. Pending calls
  /// are not killed: the worker refuses what they do not complete in time (A5).
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

/// A process that runs the steps of one plugin: one `run` at a time, and any number of calls that are
/// pending (weir/abi/async.h).  [one thread at a time]
class IsolatedChild {
 public:
  /// Starts a process and returns once the plugin is loaded in it. Errors: as PluginHost::open;
  /// load_failed when loading ended the process or took too long.
  static std::expected<std::unique_ptr<IsolatedChild>, PluginError> start(
      const IsolatedOptions& options, const PluginInspection& plugin, const StagedCopy& staged,
      const std::weak_ptr<ChildReader>& reader);

  /// How a call ended, as far as the `run` of its step is concerned.
  enum class CallEnd {
    /// `returned` is what the step returned; host.output or host.fail was called.
    answered,
    pending,      ///< its result will come: `pending` is set
    crashed,      ///< it ended the process
    killed,       ///< it did not stop when requested
    not_charged,  ///< the process ended before it began the call, or by another call
  };
  struct Called {
    CallEnd end;
    std::int32_t returned = WEIR_FAILED;
    std::shared_ptr<PendingCall> pending{};
  };

  /// Runs a step in the process, with the `host` and `call` that a step's `run` got here: log lines
  /// are passed to host.log, and host.cancelled is polled every 20 ms and passed on. What comes of
  /// pending calls meanwhile is passed on too. `label` must outlive the call.
  Called run(IsolatedTarget target, const std::string& label, const weir_host& host,
             weir_call* call, weir_str input);

  /// Passes on what has come of pending calls, without waiting.
  void read();

  /// Whether the process has ended: after run() or read(), whatever they returned. Then only what
  /// tells of its end may be used.
  bool has_ended() const noexcept { return ended_as_ != EndedAs::not_ended; }
  bool was_killed() const noexcept { return ended_as_ == EndedAs::killed; }

  bool has_pending() const noexcept { return !pending_.empty(); }
  /// Those of a process that has ended. They must be told.
  std::vector<std::shared_ptr<PendingCall>> take_pending();

  /// Removes and returns what it warned of, such as a call that was completed twice: whole lines.
  std::vector<std::string> take_warnings() { return std::exchange(warnings_, {}); }

  /// The call that ended it; 0: none that is known.
  std::uint64_t charged() const noexcept { return charged_; }

  /// How the process ended: "signal 11 (SIGSEGV)", "exit status 3"; with its memory limit, and
  /// what the kernel did meanwhile for want of memory.
  const std::string& end_text() const noexcept { return end_text_; }

  /// The crash report, with frames, from its flight recorder; empty if there is none.
  const std::string& crash_text() const noexcept { return crash_text_; }

  bool filters_system_calls() const noexcept { return filtered_; }
  bool has_run() const noexcept { return number_ > 0; }
  pid_t pid() const noexcept { return process_.pid(); }
  std::uint64_t id() const noexcept { return id_; }  ///< of all of this process; not 0
  int channel() const noexcept { return channel_.fd(); }
  /// Readable once it has ended.
  int pidfd() const noexcept { return process_.pidfd(); }

  /// Requests the process to end, as no call follows; finish() waits for its end.
  void request_end() noexcept;

  /// Waits until `deadline` for the end of the process after request_end(), then kills it.
  void finish(std::chrono::steady_clock::time_point deadline);

 private:
  enum class EndedAs { not_ended, crashed, killed };

  IsolatedChild(const IsolatedOptions& options, ChildProcess process, FileDescriptor channel,
                std::shared_ptr<StopLine> stops, FlightRecorder recorder,
                std::filesystem::path stage);

  /// The `run` that has not returned.
  struct Running {
    const std::string& label;
    const weir_host& host;
    weir_call* call;
    std::optional<Called> called{};
  };

  std::optional<PluginError> open(const PluginInspection& plugin, const StagedCopy& staged,
                                  std::chrono::milliseconds patience);
  bool within_grace(const weir_host& host, weir_call* call);
  Called await(Running& running);
  bool take(const Frame& frame, Running* running);
  Called kill();
  Called handle_death(WireEnd wire_end, bool runs);
  std::uint64_t call_to_charge(bool runs) const;
  void describe(std::string end, const ProcessEnd& how);

  static std::uint64_t next_id() noexcept;

  const std::uint64_t id_ = next_id();
  const std::chrono::milliseconds stop_grace_;
  const std::int64_t memory_bytes_;
  const std::optional<std::uint64_t> oom_kills_;  // when it began
  ChildProcess process_;
  FileDescriptor channel_;
  const std::shared_ptr<StopLine> stops_;
  FlightRecorder recorder_;
  const std::filesystem::path stage_;
  FrameReader frames_;
  bool filtered_ = false;
  std::uint64_t number_ = 0;  // of the last call
  std::vector<std::string> warnings_;
  std::unordered_map<std::uint64_t, std::shared_ptr<PendingCall>> pending_;
  std::optional<std::chrono::steady_clock::time_point> kill_at_;
  EndedAs ended_as_ = EndedAs::not_ended;
  std::uint64_t charged_ = 0;
  std::string end_text_, crash_text_;
};

}  // namespace weir
