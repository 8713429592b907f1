#include "simulation/host.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <utility>

#include "base/assert.hpp"
#include "support/log_lines.hpp"

namespace weir::simulation {

using namespace std::chrono_literals;

namespace {

int32_t never_called(const weir_host*, weir_call*, weir_str, void*) { return WEIR_FAILED; }

constexpr weir_step no_code = {.struct_size = sizeof(weir_step),
                               .reserved = 0,
                               .slug = {nullptr, 0},
                               .run = never_called,
                               .user = nullptr};

Error connection_lost() {
  return sim_error(ErrorCode::unavailable, "database_away", "the connection broke", "");
}

}  // namespace

Host::Host(World& world, Traits traits, const std::vector<FlowDefinition>& flows)
    : world_(world), traits_(traits), log_(testing::printed_log("WEIR_SIMULATION_LOG", stdout)) {
  options_.slots = traits_.slots;
  options_.lease = traits_.lease;
  options_.drain_timeout = traits_.drain_timeout;
  if (world.features.large) options_.large_bytes = 5;
  for (const FlowDefinition& each : flows) load(each);
  world_.hosts.push_back(this);
  actor_ = &world_.stage.enter([this] { run(); });
}

Host::~Host() { kill(); }

void Host::load(const FlowDefinition& flow) {
  auto transaction = registry_.begin();
  transaction.succeed(
      FlowModule{.definition = flow,
                 .steps = std::vector(flow.steps().size(), &no_code),
                 .file = {.path = flow.slug().string() + ".so", .sha256 = flow.fingerprint()}});
  if (!std::move(transaction).commit()) std::abort();
  flows_changed_ = true;
  wake();
}

void Host::request_stop(StopRequest request) {
  stop_request_ = std::max(stop_request_, request);
  wake();
}

void Host::kill() {
  if (std::exchange(dead_, true)) return;
  *alive_ = false;
  std::erase(world_.hosts, this);
  world_.stage.kill(*actor_);
  store_.kill_exchange();
  steps_.lose_connections();
}

void Host::freeze(Duration duration, bool stop_clock) {
  if (world_.stage.now() < frozen_until_) return;
  frozen_until_ = world_.stage.now() + duration;
  if (stop_clock)
    clock_stopped_for_ += duration;  // the clock is not read before the host is thawed
}

void Host::disconnect(Duration duration) {
  disconnected_until_ = std::max(disconnected_until_, world_.stage.now() + duration);
}

Steady Host::steady() const {
  const auto passed = std::chrono::duration<double, std::micro>(world_.stage.now() - Stage::begin -
                                                                clock_stopped_for_) *
                      traits_.clock_rate;
  return Steady(std::chrono::hours(1'000) +
                std::chrono::duration_cast<std::chrono::microseconds>(passed));
}

Duration Host::in_true_time(std::chrono::milliseconds steady_time) const {
  return std::chrono::ceil<Duration>(std::chrono::duration<double, std::milli>(steady_time) /
                                     traits_.clock_rate);
}

// An event of this host: it is dropped if the host died, and delayed while the host is frozen.
void Host::after(Duration delay, std::function<void()> event) {
  world_.stage.after(delay, [this, event = std::move(event), alive = alive_]() mutable {
    if (!*alive) return;
    if (world_.stage.now() < frozen_until_)
      after(frozen_until_ - world_.stage.now(), std::move(event));
    else
      event();
  });
}

void Host::wake() {
  woken_ = true;
  if (actor_ != nullptr) actor_->wake();
}

void Host::on_ready() {
  store_.ready_ = true;
  if (actor_ != nullptr) actor_->wake();
}

void Host::on_notified(WorkerId worker) {
  if (worker != store_.worker()) return;
  store_.notified_ = true;
  if (actor_ != nullptr) actor_->wake();
}

// Lets time pass, regardless of notifications.
bool Host::pause(Duration duration) {
  const Time until = world_.stage.now() + duration;
  do world_.stage.current().wait(std::max(until, frozen_until_) - world_.stage.now());
  while (world_.stage.now() < std::max(until, frozen_until_));
  steps_.check();
  return true;
}

void Host::Store::send_exchange(const ExchangeRequest& request) {
  WEIR_ASSERT(under_way_ == nullptr);
  ++host_.world_.overlapped_exchanges;
  under_way_ = &host_.world_.stage.enter([this, request = ExchangeRequest(request)]() mutable {
    std::vector<InFlightTask> stated;
    if (host_.world_.mistake == Mistake::pending_unstated) {
      std::ranges::remove_copy_if(
          request.in_flight, std::back_inserter(stated), [&](const InFlightTask& each) {
            return host_.steps_.is_pending(each.run, each.task, each.attempt);
          });
      request.in_flight = stated;
    }
    exchange_reply_.emplace(exchange(request));
    host_.wake();
  });
}

std::optional<Result<ExchangeReply>> Host::Store::take_reply() {
  if (exchange_reply_) under_way_ = nullptr;
  return std::exchange(exchange_reply_, std::nullopt);
}

void Host::Store::kill_exchange() {
  if (under_way_ != nullptr) host_.world_.stage.kill(*under_way_);
}

bool Host::Store::wait(std::chrono::milliseconds limit) {
  const Time until = host_.world_.stage.now() + host_.in_true_time(limit);
  if (under_way_ != nullptr) {
    while (!host_.woken_ && host_.world_.stage.now() < until)
      host_.actor_->wait(until - host_.world_.stage.now());
    if (host_.world_.stage.now() < host_.frozen_until_) host_.pause(Duration(0));
    host_.steps_.check();
    host_.woken_ = false;
    return false;
  }
  while (!ready_ && !notified_ && !host_.woken_ && host_.world_.stage.now() < until)
    host_.actor_->wait(until - host_.world_.stage.now());
  if (host_.world_.stage.now() < host_.frozen_until_) host_.pause(Duration(0));
  host_.steps_.check();
  host_.woken_ = false;
  return std::exchange(ready_, false) || notified_;
}

Result<void> Host::Store::send(std::function<void()> body) {
  WEIR_ASSERT(under_way_ == nullptr || under_way_ == &host_.world_.stage.current());
  Random& random = host_.world_.random;
  const FaultRates& faults = host_.world_.faults;
  const auto travel = [&] {
    host_.pause(happens(faults.request_slow, random) ? up_to(4s, random) : up_to(2ms, random));
  };
  const World& world = host_.world_;
  const auto is_broken = [&world, life = world.database_lives] {
    return world.database_lives != life;
  };
  travel();
  if (!host_.is_connected() || is_broken() || happens(faults.request_lost, random)) {
    travel();
    return std::unexpected(connection_lost());
  }
  if (happens(faults.commit_late, random)) {
    if (!never_late_)
      host_.world_.stage.after(up_to(3s, random), [is_broken, body = std::move(body)] {
        if (!is_broken()) body();
      });
    travel();
    return std::unexpected(connection_lost());
  }
  body();
  travel();
  if (is_broken() || happens(faults.reply_lost, random)) return std::unexpected(connection_lost());
  return {};
}

Result<std::map<RunKey, std::vector<JournalRow>>> Host::Store::journal(
    std::span<const RunKey> runs) {
  auto rows = SimulatedWorkerStore::journal(runs);
  if (rows)
    for (const auto& [run, all] : *rows) host_.world_.judge.told(worker(), run, all);
  return rows;
}

Result<std::vector<ShareResult>> Host::Store::fetch_share_results(
    WorkerId worker, std::span<const RunKey> runs, std::span<const std::int64_t> acknowledged) {
  auto results = SimulatedWorkerStore::fetch_share_results(worker, runs, acknowledged);
  if (results)
    for (const ShareResult& each : *results)
      host_.world_.judge.told(worker, each.run, {&each.row, 1});
  return results;
}

Result<std::optional<JournalRow>> Host::Store::resolve(WorkerId worker,
                                                       const SettledAttempt& otherwise) {
  auto row = SimulatedWorkerStore::resolve(worker, otherwise);
  if (row && *row) host_.world_.judge.told(worker, otherwise.run, {&**row, 1});
  return row;
}

void Host::Store::write_large(WorkerId worker, LargeWrite write) {
  writes_.push_back(std::make_shared<Write>(Write{worker, std::move(write), forgotten_}));
  write_after(up_to(one_in(3, host_.world_.random) ? 3s : 20ms, host_.world_.random),
              writes_.back());
}

bool Host::Store::withdraw_large(RunKey run, TaskId task, int attempt, ShareId share) {
  for (const auto& each : writes_) {
    if (each->may_be_written || !is_result(each->write, run, task, attempt, share)) continue;
    each->withdrawn = true;
    std::erase(writes_, each);
    ++host_.world_.withdrawn_writes;
    return true;
  }
  return false;
}

// A write may be committed though it was forgotten, or after it was repeated.
void Host::Store::write_after(Duration delay, const std::shared_ptr<Write>& write) {
  host_.after(delay, [this, write] {
    World& world = host_.world_;
    if (write->withdrawn) return;
    if (write->forgotten != forgotten_ && one_in(2, world.random)) return;
    const bool may_have_been = std::exchange(write->may_be_written, true);
    if (!host_.is_connected() || happens(world.faults.request_lost, world.random))
      return write_after(500ms, write);
    if (happens(world.faults.commit_late, world.random)) {
      world.stage.after(up_to(3s, world.random), [&world, write, life = world.database_lives] {
        if (world.database_lives == life)
          static_cast<void>(world.database.record_large(write->worker, write->write));
      });
      return write_after(500ms, write);
    }
    const auto* const settled = std::get_if<SettledAttempt>(&write->write);
    const bool shared = settled != nullptr && settled->share != 0;
    const auto done = world.database.record_large(write->worker, write->write);
    if (happens(world.faults.reply_lost, world.random)) return write_after(500ms, write);
    if (done && !*done) {
      write->may_be_written = may_have_been;
      return write_after(100ms, write);
    }
    std::erase(writes_, write);
    if (write->forgotten != forgotten_) return;
    ++world.large_writes;
    written_.push_back({write->write, done ? Result<void>() : std::unexpected(done.error())});
    if (settled != nullptr && done && !shared) untold_.push_back(*settled);
    host_.wake();
  });
}

std::vector<LargeWritten> Host::Store::take_written() {
  for (const SettledAttempt& each : std::exchange(untold_, {}))
    host_.world_.judge.told(worker(), each.run, {&each.row, 1});
  return SimulatedWorkerStore::take_written();
}

void Host::Store::forget_large() {
  SimulatedWorkerStore::forget_large();
  untold_.clear();
  writes_.clear();
  ++forgotten_;
}

Result<void> Host::Store::offer_shares(WorkerId worker, RunKey run,
                                       std::span<const OfferedRange> ranges) {
  never_late_ = true;
  auto offered = SimulatedWorkerStore::offer_shares(worker, run, ranges);
  never_late_ = false;
  return offered;
}

// As Worker::run.
void Host::run() {
  const auto now = [this] { return steady(); };
  pause(Duration(0));
  ServedFlows flows(options_, registry_, store_, *log_, now);
  while (stop_request_ == StopRequest::none) {
    flows.forget();
    const auto known = flows.refresh(Steady::max());
    const auto id = known ? store_.join({"host", 1, traits_.slots}, traits_.lease)
                          : Result<WorkerId>(std::unexpected(known.error()));
    if (!id) {
      if (id.error().code != ErrorCode::unavailable)
        return world_.judge.violated("a worker cannot join: " + to_string(id.error()));
      store_.wait(1s);
      continue;
    }
    FlowWorkers::Registration registration = flow_workers_.register_worker(
        {.worker = *id, .slots = traits_.slots}, flows.slugs(), [] {}, [] {});
    WorkerLoop loop(options_, flows, registration, store_, steps_, *log_,
                    {.stop_request = [this] { return stop_request_; },
                     .runs_may_wait = [] { return false; },
                     .flows_changed = [this] { return std::exchange(flows_changed_, false); },
                     .now = now},
                    across_);
    const auto end = loop.run(*id);
    if (end && *end == WorkerLoop::Ended::drained) break;
    if (!end && end.error().code != ErrorCode::unavailable)
      world_.judge.violated(fmt::format("worker {} stops: {}", *id, to_string(end.error())));
  }
  steps_.close();
}

}  // namespace weir::simulation
