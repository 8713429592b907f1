#pragma once
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "base/log.hpp"
#include "isolated/isolated_host.hpp"
#include "plugin/quarantine.hpp"
#include "step/attempt.hpp"
#include "step/step_resources.hpp"
#include "support/log_lines.hpp"

namespace weir::testing {

/// The plugin of tests/fixtures/deeds.
std::filesystem::path deeds();

/// The plugin of tests/fixtures/deeds/deferring.cpp.
std::filesystem::path deferring();

/// Where isolated children of tests come from.
IsolatedOptions isolated_options();

/// One plugin with a host, and calls of its steps as a slot makes them.
class PluginRig {
 public:
  /// In processes of its own.
  explicit PluginRig(const std::filesystem::path& file = deeds(),
                     IsolatedOptions options = isolated_options(), Quarantine::Limit limit = {});

  PluginRig(const std::filesystem::path& file, std::unique_ptr<PluginHost> host);

  /// In this process.
  static PluginRig in_process(const std::filesystem::path& file);

  /// A call on a thread of its own.
  class Call {
   public:
    Call(PluginRig& rig, std::string_view deed);
    ~Call() { thread_.join(); }
    void cancel() { attempt_.stop.cancel(); }
    AttemptResult result();

   private:
    Attempt attempt_;
    AttemptResult result_;
    std::atomic<bool> done_ = false;
    std::thread thread_;
  };

  /// Runs the step "do" with the JSON string `deed`.
  AttemptResult run(std::string_view deed);

  /// Runs any step with any input.
  AttemptResult run(std::size_t flow, std::size_t step, std::string_view input);

  /// An attempt of the step "do" with the JSON string `deed`, for call_step().
  std::shared_ptr<Attempt> attempt(std::string_view deed) const;

  /// Lines of the log so far.
  std::string log() const;
  const std::shared_ptr<Log>& logs() const noexcept { return log_; }

  /// Releases the modules, which ends the processes.
  void release_modules() { flows_.clear(); }

  const std::vector<FlowHandle>& flows() const noexcept { return flows_; }
  const std::string& sha256() const { return flows_.front()->file.sha256; }

  std::shared_ptr<Quarantine> quarantine;
  std::int64_t max_output_bytes = 16 * 1024 * 1024;
  Json flow_input = Json::trusted(R"({"id":7})");

 private:
  void fill(Attempt& attempt, std::size_t flow, std::size_t step, std::string_view input) const;

  const LogLines lines_;
  const std::shared_ptr<Log> log_ = lines_.log(LogLevel::trace);
  std::unique_ptr<PluginHost> host_;
  std::vector<FlowHandle> flows_;
  StepResources resources_;
};

/// "completed: OUTPUT", "failed CODE: TEXT after 1234 ms"
std::string result_text(const AttemptResult& result);

/// The processes that this one has started and that still are there.
std::vector<pid_t> children();

/// Whether a process is gone, or a zombie.
bool has_ended(pid_t pid);

}  // namespace weir::testing
