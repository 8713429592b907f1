#include "isolated/isolated_host.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/in_quotes.hpp"
#include "isolated/child_set.hpp"

namespace weir {
namespace {

using CallEnd = IsolatedChild::CallEnd;

constexpr int starts_max = 3;  // for one call, when new processes end before they begin it
// So many processes with pending calls may end within this time with no call to charge.
constexpr std::size_t uncharged_max = 3;
constexpr std::chrono::minutes uncharged_window{10};

class IsolatedPlugin;

struct IsolatedStep {
  IsolatedPlugin* plugin;
  IsolatedTarget target;
  std::string label;  // `step "orders.fetch" of plugin "shop"`
};

std::int32_t run_isolated(const weir_host* host, weir_call* call, weir_str input, void* user);

// What the modules of a plugin share: its processes, and the steps that call them.
class IsolatedPlugin final : public ChildReader::Plugin,
                             public std::enable_shared_from_this<IsolatedPlugin> {
 public:
  IsolatedPlugin(std::shared_ptr<ChildReaper> reaper, std::shared_ptr<ChildReader> reader,
                 IsolatedOptions options, IsolatedHost::OnCrash on_crash, std::shared_ptr<Log> log,
                 const PluginInspection& plugin, const StagedCopy& staged)
      : stop_grace_(options.stop_grace),
        on_crash_(std::move(on_crash)),
        log_(std::move(log)),
        children_(std::move(reaper), std::move(reader), std::move(options), plugin, staged) {}

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
      const Called called = (*child)->run(step.target, step.label, host, call, input);
      const std::string died = (*child)->has_ended() ? how_it_ended(**child) : std::string();
      if ((*child)->has_ended()) end_text = (*child)->end_text();
      release(*std::move(child));
      switch (called.end) {
        case CallEnd::answered:
          return called.returned;
        case CallEnd::pending: {
          if (called.pending->is_deferred()) return WEIR_PENDING;
          const PendingCall::End end = called.pending->wait(stop_grace_);
          if (end.as == PendingCall::End::As::answered) return end.returned;
          if (end.as == PendingCall::End::As::given_up)
            return fail_stuck(step, host, call, "what it still does is refused");
          end_text = "another call ended it";
          break;
        }
        case CallEnd::killed:
          return fail_stuck(step, host, call, "its process was killed");
        case CallEnd::crashed:
          return fail_call(host, call, "worker_crashed",
                           fmt::format("{} ended its process: {}", step.label, died));
        case CallEnd::not_charged:
          break;
      }
    }
    return fail_call(
        host, call, "worker_crashed",
        fmt::format("{} could not start: its processes end by themselves, the last one: {}",
                    step.label, end_text));
  }

  void read(std::uint64_t id) override {
    auto child = children_.take(id);
    if (child == nullptr) return;  // a call runs in it, and reads
    child->read();
    release(std::move(child));
  }

 private:
  using Called = IsolatedChild::Called;

  static std::string how_it_ended(const IsolatedChild& child) {
    return child.end_text() + (child.crash_text().empty() ? "" : "\n") + child.crash_text();
  }

  void release(std::unique_ptr<IsolatedChild> child) {
    for (const std::string& warning : child->take_warnings()) log_->warn("{}", warning);
    if (!child->has_ended()) return children_.return_child(std::move(child), weak_from_this());
    const auto pending = child->take_pending();
    const std::string ended = how_it_ended(*child);
    const std::uint64_t id = child->id(), charged = child->charged();
    const bool was_killed = child->was_killed();
    child.reset();
    children_.discard_child(id);
    if (!was_killed && on_crash_) on_crash_(children_.plugin().file.sha256);
    if (pending.empty()) return;
    const bool begins_again = charged != 0 || !is_third_uncharged();
    log_->warn("a process of plugin {} ended with {} pending calls: {}",
               in_quotes(children_.plugin().manifest.plugin), pending.size(), ended);
    for (const auto& call : pending)
      if (call->number() == charged)
        call->crash(fmt::format("{} ended its process: {}", call->label(), ended));
      else if (begins_again)
        call->give_back();
      else
        call->crash(fmt::format(
            "{} was pending when its process ended, for the third time within {} minutes with no "
            "call that is known to be the cause: {}",
            call->label(), uncharged_window.count(), ended));
  }

  // A process ended, and no call was charged: whether those that were pending are to fail, so that
  // one of them does not end one process after the other.
  bool is_third_uncharged() {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    std::erase_if(uncharged_, [&](auto when) { return now - when > uncharged_window; });
    uncharged_.push_back(now);
    return uncharged_.size() >= uncharged_max;
  }

  static std::int32_t fail_not_started(const weir_host& host, weir_call* call,
                                       const PluginError& error) {
    return fail_call(host, call, "no_process", to_string(error));
  }

  std::int32_t fail_stuck(const IsolatedStep& step, const weir_host& host, weir_call* call,
                          std::string_view then) const {
    return fail_call(host, call, "worker_timeout",
                     fmt::format("{} did not stop within {} ms of being told to: {}", step.label,
                                 stop_grace_.count(), then));
  }

  const std::chrono::milliseconds stop_grace_;
  const IsolatedHost::OnCrash on_crash_;
  const std::shared_ptr<Log> log_;
  ChildSet children_;
  std::deque<IsolatedStep> targets_;
  std::deque<weir_step> steps_;
  std::mutex mutex_;
  std::vector<std::chrono::steady_clock::time_point> uncharged_;  // guarded by it
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
      reaper_(std::make_shared<ChildReaper>(options_)),
      reader_(std::make_shared<ChildReader>()) {}

IsolatedHost::~IsolatedHost() { reader_->await_plugins(); }

std::expected<std::vector<FlowModule>, PluginError> IsolatedHost::open(
    const PluginInspection& plugin, const StagedCopy& staged) {
  auto isolated =
      std::make_shared<IsolatedPlugin>(reaper_, reader_, options_, on_crash_, log_, plugin, staged);
  auto first = isolated->children().lease([] { return false; });
  if (!first) return std::unexpected(std::move(first.error()));
  if (!(*first)->filters_system_calls() && !warned_unfiltered_.exchange(true))
    log_->warn("isolated plugins can start programs: this system does not filter system calls");
  isolated->children().return_child(*std::move(first), isolated);

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
