#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "store/flow_store.hpp"
#include "store/plugin_store.hpp"
#include "store/share_store.hpp"
#include "store/worker_store.hpp"

namespace weir::testing {

/// A refusal, for Answers::next().
inline std::unexpected<Error> refused(ErrorCode code, std::string message = "it says no",
                                      std::string kind = "refused") {
  return std::unexpected(
      Error{.code = code, .kind = std::move(kind), .message = std::move(message)});
}

/// "0.2#1": element 2 of step 0, the first attempt.
inline std::string text_of(TaskId task, int attempt) {
  return fmt::format("{}.{}#{}", task.step, task.index, attempt);
}

/// "0.2#1 completed 5", "0.2#1 failed test: broken".
inline std::string text_of(const JournalRow& row) {
  std::string text = fmt::format("{} {}", text_of(row.task, row.attempt), name(row.outcome));
  if (row.output) text += fmt::format(" {}", row.output->text());
  if (!row.error_code.empty()) text += fmt::format(" {}", row.error_code);
  if (!row.error.empty()) text += fmt::format(": {}", row.error);
  return text;
}

/// A database whose calls are recorded, each as a line, and whose answers the test sets: those of
/// `answers` one after the other, and then that all is well and nothing is there.
class FakeStore : public WorkerStore, public FlowStore, public PluginStore, public ShareStore {
 public:
  template <class T>
  class Answers {
   public:
    void next(Result<T> answer) { queue_.push_back(std::move(answer)); }
    Result<T> take(Result<T> usual = {}) {
      if (queue_.empty()) return usual;
      Result<T> answer = std::move(queue_.front());
      queue_.pop_front();
      return answer;
    }

   private:
    std::deque<Result<T>> queue_;
  };
  using Closed = std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>;

  struct {
    Answers<void> write_large, start_children, start_child, set_limits, serve_versions,
        return_share;
    Answers<Closed> close_waits;
    Answers<std::optional<JournalRow>> resolve;
    Answers<VersionId> register_version;
    Answers<PluginId> register_plugin;
    Answers<std::vector<AdoptedVersion>> adopt_older;
    Answers<std::vector<TakenShare>> take_shares;
    Answers<std::vector<ShareId>> held_shares;
    Answers<std::size_t> settle_share;
  } answers;
  bool keeps_large = false;      ///< what is large is being written, and cannot be withdrawn
  std::size_t writes_max = 100;  ///< of large values, until the next take_written()

  /// The calls since the last call of this.
  std::string take_calls() { return std::exchange(calls_, {}); }

  Result<WorkerId> join(const WorkerIdentity&, std::chrono::milliseconds) override { return 1; }
  Result<ExchangeReply> exchange(const ExchangeRequest&) override { return ExchangeReply{}; }
  Result<std::vector<RunKey>> resume(WorkerId, std::int64_t, std::int64_t,
                                     std::chrono::milliseconds) override {
    return std::vector<RunKey>();
  }
  /// Asks `answers.start_children` for the call, then `answers.start_child` for each child.
  Result<std::vector<Result<void>>> start_children(
      WorkerId worker, std::chrono::milliseconds lease,
      const std::vector<ChildStart>& children) override {
    note(fmt::format("start_children worker {} lease {}", worker, lease.count()));
    if (const auto called = answers.start_children.take(); !called)
      return std::unexpected(called.error());
    std::vector<Result<void>> started;
    for (const ChildStart& child : children) {
      note(fmt::format("  run {} step {}#{} flow {} input {}", child.parent, child.step,
                       child.attempt, child.flow, child.input.text()));
      started.push_back(answers.start_child.take());
    }
    return started;
  }
  Result<Closed> close_waits(WorkerId worker,
                             const std::vector<std::pair<RunKey, std::size_t>>& waits) override {
    std::string text = fmt::format("close_waits worker {}", worker);
    for (const auto& [run, step] : waits) text += fmt::format(" run {} step {}", run, step);
    note(text);
    return answers.close_waits.take();
  }
  Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                            const SettledAttempt& otherwise) override {
    note(fmt::format("resolve worker {} run {} plugin {} {}", worker, otherwise.run,
                     otherwise.plugin.value_or(0), text_of(otherwise.row)));
    return answers.resolve.take(std::optional<JournalRow>());
  }
  /// Is over at once, as `answers.write_large` has it.
  void write_large(WorkerId worker, LargeWrite write) override {
    const auto* const settled = std::get_if<SettledAttempt>(&write);
    note(settled != nullptr
             ? fmt::format("write_large worker {} run {} plugin {} {}", worker, settled->run,
                           settled->plugin.value_or(0), text_of(settled->row))
             : fmt::format("write_large worker {} run {} ends", worker,
                           std::get<EndedRun>(write).run));
    written_.push_back({std::move(write), answers.write_large.take()});
  }
  bool withdraw_large(RunKey run, TaskId task, int attempt, ShareId share) override {
    note(fmt::format("withdraw_large run {} {}.{}#{}{}", run, task.step, task.index, attempt,
                     share == 0 ? "" : fmt::format(" share {}", share)));
    if (keeps_large) return false;
    return std::erase_if(written_, [&](const LargeWritten& each) {
             return is_result(each.write, run, task, attempt, share);
           }) > 0;
  }
  std::vector<LargeWritten> take_written() override {
    std::vector<LargeWritten> taken;
    while (!written_.empty() && taken.size() < writes_max) {
      taken.push_back(std::move(written_.front()));
      written_.erase(written_.begin());
    }
    return taken;
  }
  void forget_large() override { written_.clear(); }
  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey>) override {
    return {};
  }
  Result<int> sweep() override { return 0; }
  Result<void> leave(WorkerId) override { return {}; }
  bool wait(std::chrono::milliseconds) override { return false; }
  FlowStore& flows() noexcept override { return *this; }
  PluginStore& plugins() noexcept override { return *this; }
  ShareStore* shares() noexcept override { return this; }
  void wake() noexcept override {}

  /// Numbers what it does not know: 1, 2, 3 …
  Result<VersionId> register_version(const FlowDefinition& definition) override {
    note(fmt::format("register_version {}", definition.slug().view()));
    auto answer = answers.register_version.take(0);
    if (answer && *answer == 0)
      return versions_
          .try_emplace(definition.fingerprint(), static_cast<VersionId>(versions_.size()) + 1)
          .first->second;
    return answer;
  }
  Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) override {
    note(fmt::format("register_plugin {} {}", sha256, path));
    return answers.register_plugin.take(1);
  }
  Result<void> set_limits(const std::string& flow, const FlowLimits& limits) override {
    note(fmt::format("set_limits {} {}", flow, limits.max_running.value_or(0)));
    return answers.set_limits.take();
  }
  Result<void> serve_versions(WorkerId worker,
                              const std::map<VersionId, ServedVersion>& versions) override {
    std::string text = fmt::format("serve_versions worker {}:", worker);
    for (const auto& [version, served] : versions)
      text += fmt::format(" {}/{}{}{}", version, served.plugin.value_or(0),
                          served.barred ? " barred" : "", served.offered ? "" : " former");
    note(text);
    return answers.serve_versions.take();
  }
  Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) override {
    note(fmt::format("adopt_older {}", version));
    return answers.adopt_older.take();
  }
  Result<std::vector<VersionReport>> versions_of(const std::vector<std::string>&) override {
    return std::vector<VersionReport>();
  }
  Result<std::vector<std::string>> flows_with_open_runs() override {
    return std::vector<std::string>();
  }
  Result<void> report_plugins(const ReportingProcess&, const std::optional<Json>&) override {
    return {};
  }

  Result<Helpers> helpers_for(WorkerId, RunKey) override { return Helpers{}; }
  Result<void> offer_shares(WorkerId, RunKey, std::span<const OfferedRange>) override { return {}; }
  Result<std::vector<HeldRange>> take_back_shares(WorkerId, std::span<const RunKey>) override {
    return {};
  }
  Result<std::vector<ShareResult>> fetch_share_results(WorkerId, std::span<const RunKey>,
                                                       std::span<const std::int64_t>) override {
    return {};
  }
  Result<void> drop_shares(WorkerId, RunKey, std::size_t) override { return {}; }
  Result<std::vector<TakenShare>> take_shares(WorkerId worker, std::span<const VersionId> versions,
                                              std::size_t count,
                                              std::span<const RunKey> known_runs) override {
    std::string text = fmt::format("take_shares worker {} count {} versions", worker, count);
    for (const VersionId version : versions) text += fmt::format(" {}", version);
    for (const RunKey run : known_runs) text += fmt::format(" knows {}", run);
    note(text);
    return answers.take_shares.take();
  }
  Result<std::vector<ShareId>> held_shares(WorkerId worker) override {
    note(fmt::format("held_shares worker {}", worker));
    return answers.held_shares.take();
  }
  Result<std::size_t> settle_share(WorkerId worker, ShareId share, std::span<const JournalRow> rows,
                                   std::optional<PluginId> plugin) override {
    std::string text = fmt::format("settle_share worker {} share {} plugin {}:", worker, share,
                                   plugin.value_or(0));
    for (const JournalRow& row : rows) text += fmt::format(" {}", text_of(row));
    note(text);
    return answers.settle_share.take(std::size_t{0});
  }
  Result<void> return_share(WorkerId worker, ShareId share, std::size_t from) override {
    note(fmt::format("return_share worker {} share {} from {}", worker, share, from));
    return answers.return_share.take();
  }

 private:
  void note(const std::string& call) { calls_.append(call) += '\n'; }

  std::string calls_;
  std::vector<LargeWritten> written_;
  std::map<std::string, VersionId> versions_;  // by fingerprint
};

}  // namespace weir::testing
