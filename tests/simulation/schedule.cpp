#include "simulation/schedule.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "unit/definition/drafts.hpp"
#include "unit/run/driven_run.hpp"
#include "unit/run/random_flow.hpp"

namespace weir::simulation {

using namespace std::chrono_literals;

namespace {

constexpr std::array<const char*, 2> slugs = {"totals", "child"};

// A draft that is small enough for thousands of schedules, with times of at most minutes.
FlowDraft small_draft(const std::string& slug, bool has_children, Random& random) {
  FlowDraft draft;
  do draft = random_draft(random);
  while (draft.steps.size() > (has_children ? 14 : 4));
  draft.slug = slug;
  draft.module = "shop." + slug;
  draft.options.timeout_ms = static_cast<std::int64_t>(500 + below(4'000, random));
  draft.options.max_delay_ms = 10'000;
  for (FlowDraft::Step& step : draft.steps) {
    if (step.kind != "flow" || has_children) continue;
    step.kind = "single";
    step.flow.reset();
  }
  return draft;
}

}  // namespace

Schedule::Schedule(World& world) : world_(world), random_(world.random) {}

void Schedule::begin() {
  world_.features = Features::drawn(random_);
  draw_fault_rates();
  draw_flows();
  if (world_.features.limits) change_limits();
  for (std::size_t count = 1 + below(4, random_); count > 0; --count) add_host();
  if (world_.features.schedules) put_schedules();
  if (world_.features.retention) run_retention(2s + up_to(15s, random_), 1 + below(4, random_), 0);
  if (world_.features.crashes) crash_database();
  if (world_.features.failover) fail_over();
  starts_left_ = 1 + below(10, random_);
  start_runs();
  inject_faults();
}

void Schedule::draw_fault_rates() {
  const auto draw = [&](std::uint64_t worst) {
    return one_in(3, random_) ? 0 : below(worst, random_);
  };
  FaultRates& faults = world_.faults;
  faults.request_lost = draw(100'000);
  faults.reply_lost = draw(100'000);
  faults.commit_late = draw(50'000);
  faults.notification_lost = draw(500'000);
  faults.notification_doubled = draw(300'000);
  faults.request_slow = draw(30'000);
  faults.row_locked = draw(300'000);
  faults.handler_fails = draw(400'000);
  faults.handler_overruns = draw(100'000);
  faults.handler_hangs = draw(20'000);
}

void Schedule::draw_flows() {
  for (const char* const slug : slugs) {
    drafts_.push_back(small_draft(slug, drafts_.empty(), random_));
    loaded_.push_back(built(drafts_.back()));
    // Registered before any worker joins, because a run may be started before that.
    if (!world_.database.register_version(loaded_.back()))
      world_.judge.violated("D6: a flow is refused");
  }
}

void Schedule::add_host() {
  constexpr std::array<double, 5> rates = {1.0, 1.0, 1.0, 0.97, 1.03};
  hosts_.push_back(std::make_unique<Host>(
      world_,
      Host::Traits{.slots = 1 + below(4, random_),
                   .async_calls = 1 + below(6, random_),
                   .lease = std::chrono::milliseconds(1'000 + below(9'000, random_)),
                   .drain_timeout = std::chrono::milliseconds(below(4'000, random_)),
                   .clock_rate = rates.at(below(rates.size(), random_))},
      loaded_));
}

Json Schedule::input_for(const std::string& slug) {
  const VersionId started = *world_.database.version_to_start(slug, {});
  const bool list = world_.database.version(started).definition->maps_over_input();
  return list ? world_.features.array(random_) : random_json(random_);
}

// S4: a start that is repeated with the same key returns the same run.
void Schedule::start_runs() {
  if (starts_left_ == 0) return;
  if (!world_.is_database_up()) {
    world_.stage.after(1s, [this] { start_runs(); });
    return;
  }
  --starts_left_;
  const std::string slug = slugs.at(one_in(5, random_) ? 1 : 0);
  StartOptions options{.priority = static_cast<int>(below(5, random_)) - 2};
  if (one_in(5, random_)) options.delay = std::chrono::milliseconds(below(10'000, random_));
  if (one_in(2, random_))
    options.idempotency_keys = {std::string(1, static_cast<char>('a' + below(4, random_)))};
  const auto started = world_.database.start(slug, {input_for(slug)}, options);
  if (!started) {
    world_.judge.violated("a start is refused: " + to_string(started.error()));
  } else if (!options.idempotency_keys.empty()) {
    std::set<std::string>& known = keys_[{slug, options.idempotency_keys[0]}];
    const auto& [id, created] = started->front();
    const auto is_kept = [&](const std::string& each) {  // else deleted, or lost by a failover
      return world_.database.tables().run_ids.contains(each);
    };
    if (created ? std::ranges::any_of(known, is_kept) : !known.contains(id))
      world_.judge.violated("S4: one key starts two runs");
    known.insert(id);
  }
  world_.stage.after(up_to(one_in(2, random_) ? 10s : 100ms, random_), [this] { start_runs(); });
}

void Schedule::inject_faults() {
  if (!faults_enabled_) return;
  world_.stage.after(up_to(4s, random_), [this] { inject_faults(); });
  std::vector<Host*> serving;
  for (Host* const each : world_.hosts)
    if (each->is_serving()) serving.push_back(each);
  Host* const host = serving.empty() ? nullptr : serving[below(serving.size(), random_)];
  const std::string slug = slugs.at(below(slugs.size(), random_));
  switch (below(world_.is_database_up() ? 12 : 6, random_)) {
    case 0:
      if (host != nullptr) host->kill();
      break;
    case 1:
      if (host != nullptr)
        host->request_stop(one_in(3, random_) ? StopRequest::stop_now : StopRequest::drain);
      break;
    case 2:
      if (host != nullptr) host->freeze(up_to(15s, random_), one_in(2, random_));
      break;
    case 3:
      if (host != nullptr) host->disconnect(up_to(12s, random_));
      break;
    case 4:
    case 5:
      if (serving.size() < 4) add_host();
      break;
    case 6:
      world_.database.set_paused(slug, one_in(2, random_)).value();
      break;
    case 7:
      if (one_in(3, random_)) new_version();
      if (world_.features.limits && one_in(3, random_)) change_limits();
      break;
    default: {
      const auto& ids = world_.database.tables().run_ids;
      if (!ids.empty())
        command(
            std::next(ids.begin(), static_cast<std::ptrdiff_t>(below(ids.size(), random_)))->first);
    }
  }
}

// A command of a person to one run. Refusals are checked by the conformance suite.
void Schedule::command(const std::string& run) {
  SimulatedDatabase& database = world_.database;
  const RunKey key = database.tables().run_ids.at(run);
  switch (below(6, random_)) {
    case 0:
      world_.judge.cancel_requested(key);
      static_cast<void>(database.cancel(run, "enough"));  // refused while a handler settles
      break;
    case 1:
    case 2:
      static_cast<void>(database.retry(run));
      break;
    default: {
      const RunRow& row = database.tables().runs.at(key);
      for (const StepDefinition& step : database.version(row.version).definition->steps())
        if (step.kind == StepKind::wait && one_in(2, random_))
          static_cast<void>(database.signal(run, step.signal, random_json(random_)));
    }
  }
}

// From now on some hosts have the new version, and so do all hosts that are added later. If it is
// compatible, it may adopt the open runs.
void Schedule::new_version() {
  const std::size_t flow = below(drafts_.size(), random_);
  FlowDraft& draft = drafts_[flow];
  const std::vector<VersionId> versions = world_.database.flow(draft.slug)->versions;
  const int before = static_cast<int>(versions.size());
  draft.options.timeout_ms =
      *draft.options.timeout_ms + 1 + static_cast<std::int64_t>(below(50, random_));
  const bool extends = one_in(3, random_);
  // A failover may have lost the version before.
  const bool compatible =
      !extends &&
      world_.database.version(versions.back()).definition->steps().size() == draft.steps.size();
  if (extends) draft.steps.push_back({.slug = fmt::format("extra{}", draft.steps.size())});
  loaded_.push_back(built(draft));
  static_cast<void>(world_.database.register_version(loaded_.back()));
  const bool is_new = static_cast<int>(world_.database.flow(draft.slug)->versions.size()) > before;
  for (Host* const host : world_.hosts)
    if (!one_in(3, random_)) host->load(loaded_.back());
  if (is_new && compatible && one_in(2, random_))
    if (const auto adopted = world_.database.adopt(draft.slug, before, before + 1); !adopted)
      world_.judge.violated("V3: " + to_string(adopted.error()));
}

void Schedule::change_limits() {
  for (const char* const slug : slugs) {
    FlowLimits limits;
    if (one_in(2, random_)) limits.max_running = 1 + static_cast<std::int64_t>(below(3, random_));
    if (one_in(3, random_)) limits.rate = fmt::format("{}/1s", 2 + below(4, random_));
    if (one_in(2, random_)) {
      limits.key = "/ok";  // some inputs have it
      limits.key_max_running = 1;
      if (one_in(2, random_)) limits.key_rate = fmt::format("{}/2s", 2 + below(3, random_));
    }
    if (const auto set = world_.database.set_limits(slug, limits, false); !set)
      world_.judge.violated("limits are refused: " + to_string(set.error()));
  }
}

void Schedule::put_schedules() {
  for (std::size_t count = 1 + below(2, random_); count > 0; --count) {
    const std::string slug = slugs.at(one_in(3, random_) ? 1 : 0);
    world_.database.put_schedule(fmt::format("s{}", count),
                                 {.flow = slug,
                                  .every = std::chrono::seconds(2 + below(15, random_)),
                                  .input = input_for(slug),
                                  .runs_missed = one_in(2, random_),
                                  .paused = false,
                                  .next_at = {}});
  }
  for (int tickers = 0; tickers < 2; ++tickers) run_ticker();
}

// One of two processes that start what schedules have due, as schedule_ticker.cpp does. Now and then
// it is away, at times longer than ticks may be late.
void Schedule::run_ticker() {
  if (!faults_enabled_) return;
  Duration pause = 100ms;  // after a request that failed
  if (one_in(4, random_)) {
    pause = up_to(40s, random_);
  } else if (world_.is_database_up() && !happens(world_.faults.request_lost, random_)) {
    const TickReport tick = world_.database.tick();
    if (!happens(world_.faults.reply_lost, random_) && tick.next_at)
      pause = std::clamp<Duration>(*tick.next_at - tick.now, 1ms, 30s);
  }
  world_.stage.after(pause, [this] { run_ticker(); });
}

void Schedule::run_retention(Duration age, std::size_t batch, RunKey after) {
  const RunKey next =
      world_.is_database_up() ? world_.database.prune(age, batch, after).value_or(0) : after;
  world_.stage.after(up_to(3s, random_), [=, this] { run_retention(age, batch, next); });
}

// Most outages are shorter than a lease, some are longer than all of them.
Duration Schedule::outage() {
  return one_in(3, random_) ? up_to(20s, random_) : up_to(2s, random_);
}

// What nobody waits for is on the disk within 0.6 s, or with the next commit that somebody waits for.
// Most crashes come before that.
void Schedule::crash_database() {
  world_.stage.after(up_to(12s, random_), [this] {
    world_.crash_after = [this] {
      world_.stage.after(up_to(one_in(3, random_) ? 600ms : 10ms, random_), [this] {
        if (!world_.crash_after || !faults_enabled_ || !world_.is_database_up()) return;
        if (!world_.durable && !one_in(5, random_)) return;
        world_.crash(outage());
        crash_database();
      });
    };
  });
}

// The standby lacks what was committed in the last moments, by whomever.
void Schedule::fail_over() {
  world_.stage.after(up_to(15s, random_), [this] {
    auto standby = std::make_shared<World::Copy>(world_.copy());
    world_.stage.after(up_to(one_in(2, random_) ? 2s : 100ms, random_), [this, standby] {
      if (faults_enabled_) world_.crash(outage(), std::move(*standby));
    });
  });
}

// The hosts that are left continue; one host that has all versions is added.
void Schedule::end_faults() {
  faults_enabled_ = false;
  world_.faults.end();
  world_.database_up_at = std::min(world_.database_up_at, world_.stage.now());
  world_.judge.database_is_up(world_.stage.now());
  for (const char* const slug : slugs) world_.database.set_paused(slug, false).value();
  world_.database.tick();
  world_.judge.check_all_ticked();
  const auto schedules = world_.database.tables().schedules;
  for (auto [name, schedule] : schedules) {
    schedule.paused = true;
    world_.database.put_schedule(name, schedule);
  }
  add_host();
}

bool Schedule::is_over() const {
  return starts_left_ == 0 && world_.database.tables().open_runs.empty();
}

}  // namespace weir::simulation
