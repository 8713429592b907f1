#include "unit/isolated/plugin_rig.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

#include "plugin/in_process_host.hpp"
#include "plugin/inspection.hpp"
#include "step/step_call.hpp"

namespace weir::testing {
namespace fs = std::filesystem;

fs::path deeds() { return WEIR_DEEDS; }
fs::path deferring() { return WEIR_DEFERRING; }

IsolatedOptions isolated_options() {
  return {.program = WEIR_ISOLATED_PROGRAM, .arguments = {"internal", "isolate"}, .processes = 4};
}

PluginRig::PluginRig(const fs::path& file, IsolatedOptions options, Quarantine::Limit limit)
    : quarantine(std::make_shared<Quarantine>(limit)),
      host_(std::make_unique<IsolatedHost>(
          std::move(options),
          [counts = quarantine](const std::string& sha256) {
            counts->crashed(sha256, std::chrono::steady_clock::now());
          },
          log_)) {
  const auto inspection = inspect(file);
  if (!inspection) FAIL(to_string(inspection.error()));
  auto modules = host_->open(*inspection, file);
  if (!modules) FAIL(to_string(modules.error()));
  for (FlowModule& module : *modules) flows_.emplace_back(std::move(module));
}

PluginRig::PluginRig(const fs::path& file, std::unique_ptr<PluginHost> host)
    : host_(std::move(host)) {
  const auto inspection = inspect(file);
  if (!inspection) FAIL(to_string(inspection.error()));
  auto modules = host_->open(*inspection, file);
  if (!modules) FAIL(to_string(modules.error()));
  for (FlowModule& module : *modules) flows_.emplace_back(std::move(module));
}

PluginRig PluginRig::in_process(const fs::path& file) {
  return PluginRig(file, std::make_unique<InProcessHost>());
}

void PluginRig::fill(Attempt& attempt, std::size_t flow, std::size_t step,
                     std::string_view input) const {
  attempt.task = {.step = step, .index = 5};
  attempt.number = 2;
  attempt.flow = flows_.at(flow);
  attempt.step = attempt.flow->steps.at(step);
  attempt.options.max_output_bytes = max_output_bytes;
  attempt.input = Json::trusted(std::string(input));
  attempt.run_id = "run-1";
  attempt.flow_input = flow_input;
}

AttemptResult PluginRig::run(std::string_view deed) { return run(0, 0, json_quoted(deed)); }

AttemptResult PluginRig::run(std::size_t flow, std::size_t step, std::string_view input) {
  Attempt attempt;
  fill(attempt, flow, step, input);
  return call_step(attempt, resources_, *log_);
}

std::shared_ptr<Attempt> PluginRig::attempt(std::string_view deed) const {
  auto attempt = std::make_shared<Attempt>();
  fill(*attempt, 0, 0, json_quoted(deed));
  return attempt;
}

std::string PluginRig::log() const { return lines_.with_levels(); }

PluginRig::Call::Call(PluginRig& rig, std::string_view deed) {
  rig.fill(attempt_, 0, 0, json_quoted(deed));
  thread_ = std::thread([this, &rig] {
    result_ = call_step(attempt_, rig.resources_, *rig.log_);
    done_.store(true, std::memory_order_release);
    done_.notify_all();
  });
}

AttemptResult PluginRig::Call::result() {
  done_.wait(false, std::memory_order_acquire);
  return result_;
}

std::string result_text(const AttemptResult& result) {
  if (result.outcome == Outcome::completed)
    return fmt::format("completed: {}", result.output ? result.output->text() : "nothing");
  return fmt::format(
      "{} {}: {}{}", name(result.outcome), result.error_code, result.error,
      result.retry_after ? fmt::format(" after {} ms", result.retry_after->count()) : "");
}

std::vector<pid_t> children() {
  std::vector<pid_t> all;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) all.push_back(pid);
  }
  std::ranges::sort(all);
  return all;
}

bool has_ended(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/stat", pid));
  std::string text;
  return !std::getline(status, text) || text.contains(") Z ");
}

}  // namespace weir::testing
