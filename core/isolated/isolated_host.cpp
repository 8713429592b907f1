#include "isolated/isolated_host.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "base/in_quotes.hpp"
#include "isolated/child_set.hpp"

namespace weir {
namespace {

using CallEnd = IsolatedChild::CallEnd;

constexpr int starts_max = 3;  // for one call, when new processes end before they begin it

class IsolatedPlugin;

struct IsolatedStep {
  IsolatedPlugin* plugin;
  IsolatedTarget target;
  std::string label;  // `step "orders.fetch" of plugin "shop"`
};

std::int32_t run_isolated(const weir_host* host, weir_call* call, weir_str input, void* user);

// What the modules of a plugin share: its processes, and the steps that call them.
class IsolatedPlugin {
 public:
  IsolatedPlugin(std::shared_ptr<ChildReaper> reaper, IsolatedOptions options,
                 IsolatedHost::OnCrash on_crash, const PluginInspection& plugin,
                 const StagedCopy& staged)
      : stop_grace_(options.stop_grace),
        on_crash_(std::move(on_crash)),
        children_(std::move(reaper), std::move(options), plugin, staged) {}

  ChildSet& children() noexcept { return children_; }

  const weir_step* add(IsolatedTarget target, const FlowDefinition& flow) {
    const StepDefinition& definition = flow.steps()[target.step];
    const Slug& slug = definition.slug;
    const IsolatedStep& to = targets_.emplace_back(
        IsolatedStep{this, target,
                     fmt::format("step {} of plugin {}",
                                 in_quotes(fmt::format("{}.{}", flow.slug().view(), slug.view())),
                                 in_quotes(children_.plugin().manifest.plugin))});
    weir_step step{};
    step.struct_size = sizeof(weir_step);
    step.slug = {slug.view().data(), slug.view().size()};
    step.run = has_code(definition.kind) ? run_isolated : nullptr;
    step.user = const_cast<IsolatedStep*>(&to);
    return &steps_.emplace_back(step);
  }

  std::int32_t run(const IsolatedStep& step, const weir_host& host, weir_call* call,
                   weir_str input) {
    std::string end_text;
    for (int starts = 0; starts < starts_max;) {
      auto child = children_.lease([&] { return host.cancelled(call) != 0; });
      if (!child) return fail_not_started(host, call, child.error());
      if (*child == nullptr) return WEIR_CANCELLED;
      if (!(*child)->has_run()) ++starts;  // another one may have ended since its last call
      std::int32_t returned = WEIR_FAILED;
      const CallEnd end = (*child)->run(step.target, host, call, input, returned);
      if (end == CallEnd::answered) {
        children_.return_child(*std::move(child));
        return returned;
      }
      end_text = (*child)->end_text();
      const std::string crash =
          fmt::format("{} ended its process: {}{}{}", step.label, end_text,
                      (*child)->crash_text().empty() ? "" : "\n", (*child)->crash_text());
      child->reset();
      children_.discard_child();
      if (end == CallEnd::killed) return fail_killed(step, host, call);
      count_crash();
      if (end == CallEnd::crashed) return fail(host, call, "worker_crashed", crash);
    }
    return fail(host, call, "worker_crashed",
                fmt::format("{} could not start: its processes end by themselves, the last one: {}",
                            step.label, end_text));
  }

 private:
  static std::int32_t fail(const weir_host& host, weir_call* call, std::string_view code,
                           const std::string& message) {
    host.fail(call, WEIR_FAILED, {code.data(), code.size()}, {message.data(), message.size()}, 0);
    return WEIR_FAILED;
  }

  static std::int32_t fail_not_started(const weir_host& host, weir_call* call,
                                       const PluginError& error) {
    return fail(host, call, "no_process", to_string(error));
  }

  std::int32_t fail_killed(const IsolatedStep& step, const weir_host& host, weir_call* call) const {
    return fail(host, call, "worker_timeout",
                fmt::format("{} did not stop within {} ms of being told to: its process was killed",
                            step.label, stop_grace_.count()));
  }

  void count_crash() const {
    if (on_crash_) on_crash_(children_.plugin().file.sha256);
  }

  const std::chrono::milliseconds stop_grace_;
  const IsolatedHost::OnCrash on_crash_;
  ChildSet children_;
  std::deque<IsolatedStep> targets_;
  std::deque<weir_step> steps_;
};

std::int32_t run_isolated(const weir_host* host, weir_call* call, weir_str input, void* user) {
  const auto& step = *static_cast<const IsolatedStep*>(user);
  return step.plugin->run(step, *host, call, input);
}

}  // namespace

IsolatedHost::IsolatedHost(IsolatedOptions options, OnCrash on_crash, std::shared_ptr<Log> log)
    : options_(std::move(options)),
      on_crash_(std::move(on_crash)),
      log_(std::move(log)),
      reaper_(std::make_shared<ChildReaper>(options_)) {}

std::expected<std::vector<FlowModule>, PluginError> IsolatedHost::open(
    const PluginInspection& plugin, const StagedCopy& staged) {
  auto isolated = std::make_shared<IsolatedPlugin>(reaper_, options_, on_crash_, plugin, staged);
  auto first = isolated->children().lease([] { return false; });
  if (!first) return std::unexpected(std::move(first.error()));
  if (!(*first)->filters_system_calls() && !warned_unfiltered_.exchange(true))
    log_->warn("isolated plugins can start programs: this system does not filter system calls");
  isolated->children().return_child(*std::move(first));

  std::vector<FlowModule> modules;
  for (std::uint32_t flow = 0; flow < plugin.flows.size(); ++flow) {
    FlowModule module{
        .definition = plugin.flows[flow], .steps = {}, .file = plugin.file, .code = isolated};
    for (std::uint32_t step = 0; step < module.definition.steps().size(); ++step)
      module.steps.push_back(
          isolated->add({flow, step}, isolated->children().plugin().flows[flow]));
    modules.push_back(std::move(module));
  }
  return modules;
}

}  // namespace weir
