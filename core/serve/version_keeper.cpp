#include "serve/version_keeper.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <weir/supervisor/thread_child.hpp>

#include "base/assert.hpp"
#include "base/host_name.hpp"
#include "base/iso8601.hpp"
#include "base/retry_log.hpp"
#include "serve/version_news.hpp"
#include "step/step_call.hpp"
#include "store/plugin_store.hpp"

namespace weir {
namespace {

using Member = std::pair<std::string, Json>;
using Key = std::pair<std::string, std::string>;  // slug, fingerprint

Time wall_clock_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

using Counts = std::map<std::string, std::size_t>;  // by sha256

Json row_of(const PluginStatus& status, const Counts& pending) {
  std::vector<Json> flows;
  for (const std::string& slug : status.flows) flows.push_back(Json::string(slug));
  std::vector<Member> members = {{"path", Json::string(status.file.path)},
                                 {"flows", Json::array(flows)},
                                 {"state", Json::string(name(status.state))},
                                 {"isolated", Json::boolean(status.isolated)}};
  const auto add = [&](std::string key, std::string_view text) {
    if (!text.empty()) members.emplace_back(std::move(key), Json::string(text));
  };
  add("sha256", status.file.sha256);
  add("plugin", status.name);
  add("version", status.version);
  if (status.error) {
    add("kind", name(status.error->kind));
    add("detail", status.error->detail);
    add("hint", status.error->hint);
  }
  if (status.until) add("until", iso8601(*status.until));
  if (const auto calls = pending.find(status.file.sha256);
      calls != pending.end() && status.state == PluginState::former)
    members.emplace_back("pending_calls", Json::number(static_cast<std::int64_t>(calls->second)));
  return Json::object(members);
}

/// The keeper from one start of the child to its end. Used only by its thread.
class VersionKeeper {
 public:
  VersionKeeper(FlowRegistry& registry, const StoreOpener& open, const KeptPlugins& plugins,
                Log& log, const KeeperIntervals& intervals)
      : registry_(registry), open_(open), plugins_(plugins), log_(log), intervals_(intervals) {}

  void check() {
    // ready() also frees flows that readers still held when they were retired.
    std::erase_if(unloading_, [](const UnloadTicket& ticket) { return ticket.ready(); });
    check_versions();
    end_resources();
    note_pending();
    report_board();
  }

  void end() {
    WEIR_ASSERT(!reported_revision_ || store_ != nullptr);  // it reported in a session
    if (reported_revision_ && !store_->plugins().report_plugins(process_, std::nullopt))
      log_.debug("cannot report the end of this process: the database will detect it");
  }

 private:
  std::vector<RegisteredVersion> registered_versions() const {
    std::vector<RegisteredVersion> registered;
    for (const FlowRegistry::Version& each : registry_.versions()) {
      const FlowDefinition& flow = each.flow->definition;
      registered.push_back(
          {.flow = flow.slug().string(), .fingerprint = flow.fingerprint(), .newest = each.newest});
    }
    return registered;
  }

  void check_versions() {
    const std::vector<RegisteredVersion> registered = registered_versions();
    const Steady before = std::chrono::steady_clock::now();
    if (registered != registered_) news_at_ = before + intervals_.query;
    registered_ = registered;
    const bool has_former = !std::ranges::all_of(registered, &RegisteredVersion::newest);
    if (!has_former) idle_checks_.clear();
    const bool wants_news = before >= news_at_;
    if (!wants_news && (!has_former || before < query_at_)) return;
    std::vector<std::string> flows;
    for (const RegisteredVersion& each : registered)
      if (wants_news || !each.newest) flows.push_back(each.flow);
    const auto versions = query([&](PluginStore& store) -> Result<std::vector<VersionReport>> {
      if (wants_news) {
        auto open = store.flows_with_open_runs();
        if (!open) return std::unexpected(std::move(open.error()));
        flows.insert(flows.end(), open->begin(), open->end());
      }
      return store.versions_of(flows);
    });
    const Steady after = std::chrono::steady_clock::now();
    // The longer a query takes the longer the interval, with a limit, so that after a stall of the
    // database the next query is not delayed for long.
    query_at_ = after + std::clamp<Steady::duration>(50 * (after - before), intervals_.query,
                                                     20 * intervals_.query);
    if (wants_news) news_at_ = after + (versions ? intervals_.report : intervals_.query);
    if (!versions) return;
    retire_unused(registered, *versions);
    if (!wants_news) return;
    for (const VersionNews::Line& line : news_.update(registered, *versions))
      log_.write(line.level, line.text);
  }

  void retire_unused(const std::vector<RegisteredVersion>& registered,
                     const std::vector<VersionReport>& versions) {
    std::map<Key, int> idle_checks;
    std::vector<std::pair<RegisteredVersion, const VersionReport*>> unused;
    for (const RegisteredVersion& each : registered) {
      if (each.newest) continue;
      const VersionReport* const known = find_version(versions, each.flow, each.fingerprint);
      if (known != nullptr && !known->safe_to_remove) continue;
      // Checked twice: a start that was in progress when the new version came may not be visible
      // yet. A version that was never registered has no runs.
      const Key key(each.flow, each.fingerprint);
      const int checks = idle_checks_[key] + 1;
      if (checks < 2 && known != nullptr) {
        idle_checks.emplace(key, checks);
        continue;
      }
      unused.emplace_back(each, known);
    }
    idle_checks_ = std::move(idle_checks);
    if (unused.empty()) return;
    FlowRegistry::Transaction transaction = registry_.begin();
    for (const auto& [each, known] : unused)
      transaction.retire(*Slug::parse(each.flow), each.fingerprint);
    const auto committed = transaction.commit();
    if (!committed) {
      log_.error("cannot retire former versions: {}", to_string(committed.error()));
      return;
    }
    unloading_.push_back(committed->unload);
    for (const auto& [each, known] : unused)
      log_.info("flow {}: version {} has no open run left: it is retired", each.flow,
                known == nullptr ? "unknown" : std::to_string(known->number));
    flow_workers().wake_all();
  }

  void end_resources() {
    if (!plugins_.resources || plugins_.resources->count() == 0) return;
    std::set<std::string> registered;
    for (const FlowRegistry::Version& each : registry_.versions())
      registered.insert(each.flow->file.sha256);
    if (const std::size_t ended = plugins_.resources->end_unused(registered); ended > 0)
      log_.info("ended {} resource{} of removed plugins", ended, ended == 1 ? "" : "s");
  }

  // The deferred calls that keep code loaded which is former. Of code that no open run needs any more
  // it is told now and then, as nothing else shows why it stays.
  void note_pending() {
    pending_.clear();
    if (!plugins_.board) return;
    std::vector<PluginStatus> formers = plugins_.board->list();
    std::erase_if(formers, [](const auto& each) { return each.state != PluginState::former; });
    if (formers.empty()) return tell_pending_at_.clear();
    std::set<std::string> registered;
    for (const FlowRegistry::Version& each : registry_.versions())
      registered.insert(each.flow->file.sha256);
    const Steady now = std::chrono::steady_clock::now();
    const Counts counts = pending_by_plugin();
    for (const PluginStatus& former : formers) {
      const std::string& sha256 = former.file.sha256;
      const auto calls = counts.find(sha256);
      if (calls == counts.end()) continue;
      pending_.insert(*calls);
      if (registered.contains(sha256) || now < tell_pending_at_[sha256]) continue;
      tell_pending_at_[sha256] = now + intervals_.report;
      log_.info("{} (sha256 {}) stays loaded: {} deferred call{} pending", former.file.path, sha256,
                calls->second, calls->second == 1 ? " is" : "s are");
    }
    std::erase_if(tell_pending_at_, [&](const auto& each) { return !counts.contains(each.first); });
  }

  void report_board() {
    if (!plugins_.board) return;
    const Steady now = std::chrono::steady_clock::now();
    const std::uint64_t revision = plugins_.board->revision();
    std::map<std::string, Steady> quarantined = quarantined_plugins(now);
    const bool counts_changed = reported_pending_ != pending_ && now >= report_pending_at_;
    if (reported_revision_ == revision && reported_quarantined_ == quarantined && !counts_changed &&
        now < report_at_)
      return;
    if (now < retry_at_) return;
    std::vector<Json> rows;
    for (PluginStatus& status : plugins_.board->list()) {
      if (const auto until = quarantined.find(status.file.sha256);
          until != quarantined.end() && (status.state == PluginState::live || is_barred(status)))
        mark_quarantined(status, until->second - now);
      rows.push_back(row_of(status, pending_));
    }
    if (!query([&](PluginStore& store) {
          return store.report_plugins(process_, Json::array(rows));
        })) {
      retry_at_ = now + intervals_.query;
      return;
    }
    reported_revision_ = revision;
    reported_quarantined_ = std::move(quarantined);
    reported_pending_ = pending_;
    report_pending_at_ = now + intervals_.query;
    report_at_ = now + intervals_.report;
  }

  std::map<std::string, Steady> quarantined_plugins(Steady now) const {
    std::map<std::string, Steady> quarantined;
    if (!plugins_.quarantine) return quarantined;
    for (const Quarantine::Record& record : plugins_.quarantine->records())
      if (record.until && *record.until > now) quarantined.emplace(record.sha256, *record.until);
    return quarantined;
  }

  // Whether it was not loaded because it crashed while it was.
  static bool is_barred(const PluginStatus& status) {
    return status.error && status.error->kind == PluginFault::plugin_quarantined;
  }

  static void mark_quarantined(PluginStatus& status, Steady::duration remaining) {
    status.state = PluginState::quarantined;
    status.until = wall_clock_now() + std::chrono::duration_cast<Duration>(remaining);
    if (is_barred(status)) return;
    status.error =
        PluginError{.kind = PluginFault::plugin_quarantined,
                    .stage = PluginStage::run,
                    .path = status.file.path,
                    .sha256 = status.file.sha256,
                    .detail = "its code crashed too often",
                    .hint = "its runs wait; weir runs show has the attempts that crashed",
                    .faults = {}};
  }

  // Uses a session that is opened when it is first needed.
  template <class Call>
  auto query(Call&& call) -> decltype(call(std::declval<PluginStore&>())) {
    if (!store_) {
      auto opened = open_({.listens = false});
      if (!opened) return std::unexpected(told(std::move(opened.error())));
      store_ = *std::move(opened);
    }
    auto result = call(store_->plugins());
    if (!result) return std::unexpected(told(std::move(result.error())));
    upkeep_.succeeded();
    return result;
  }

  Error told(Error error) {
    upkeep_.failed(error);
    return error;
  }

  const FlowWorkers& flow_workers() const {
    return plugins_.flow_workers ? *plugins_.flow_workers : *FlowWorkers::of_this_process();
  }

  FlowRegistry& registry_;
  const StoreOpener& open_;
  std::unique_ptr<WorkerStore> store_;
  const KeptPlugins& plugins_;
  Log& log_;
  const KeeperIntervals& intervals_;
  const ReportingProcess process_{
      .host = host_name(), .pid = ::getpid(), .started_at = wall_clock_now()};
  std::vector<UnloadTicket> unloading_;        // of retired flows
  std::vector<RegisteredVersion> registered_;  // at the last check
  VersionNews news_;
  std::map<Key, int> idle_checks_;  // in how many successive checks it had no open run
  std::optional<std::uint64_t> reported_revision_;
  std::map<std::string, Steady> reported_quarantined_;
  Counts pending_, reported_pending_;              // deferred calls of former plugins
  std::map<std::string, Steady> tell_pending_at_;  // by sha256
  Steady query_at_{}, report_at_{}, report_pending_at_{}, retry_at_{};
  // Not before a plugin could be loaded, so that its runs are not said to wait.
  Steady news_at_ = std::chrono::steady_clock::now() + 5 * intervals_.query;
  RetryLog upkeep_{log_, "cannot do the upkeep of versions and plugins",
                   "the upkeep of versions and plugins is done again"};
};

}  // namespace

ChildSpec version_keeper(FlowRegistry& registry, StoreOpener open, KeptPlugins plugins,
                         std::shared_ptr<Log> log, KeeperIntervals intervals) {
  return thread_child("version-keeper",
                      [&registry, open = std::move(open), plugins = std::move(plugins),
                       log = std::move(log), intervals](const StopSignal& stop) {
                        VersionKeeper keeper(registry, open, plugins, *log, intervals);
                        do keeper.check();
                        while (!stop.wait_for(intervals.check));
                        keeper.end();
                      });
}

}  // namespace weir
