#include "worker/worker.hpp"

#include <unistd.h>

#include "base/host_name.hpp"
#include "base/retry_log.hpp"
#include "step/flight_recorder.hpp"
#include "step/step_resources.hpp"
#include "store/flow_store.hpp"
#include "worker/flow_workers.hpp"
#include "worker/rejoin_pause.hpp"
#include "worker/served_flows.hpp"
#include "worker/slots.hpp"
#include "worker/worker_loop.hpp"

namespace weir {
namespace {

// How long to wait at the end for handlers whose stop token was cancelled.
constexpr std::chrono::milliseconds handler_patience{2'000};
constexpr std::chrono::milliseconds join_pause{1'000};

}  // namespace

Worker::Worker(WorkerOptions options, FlowRegistry& registry, WorkerStore& store,
               std::shared_ptr<Log> log)
    : options_(std::move(options)), registry_(registry), store_(store), log_(std::move(log)) {}

Worker::~Worker() = default;

Result<Worker::Ended> Worker::run() {
  const auto resources =
      options_.resources ? options_.resources : std::make_shared<StepResources>();
  Slots slots(
      options_.slots, resources, log_, [this] { store_.wake(); }, options_.recorder,
      options_.async_calls);
  AcrossLives across;
  RejoinPause pause;
  const auto stop_request = [this] { return stop_request_.load(std::memory_order_relaxed); };
  const auto runs_may_wait = [this] {
    return runs_may_wait_.exchange(false, std::memory_order_relaxed);
  };
  const auto flows_changed = [this] {
    return flows_changed_.exchange(false, std::memory_order_relaxed);
  };
  ServedFlows flows(options_, registry_, store_.flows(), *log_);
  FlowWorkers& flow_workers =
      options_.flow_workers ? *options_.flow_workers : *FlowWorkers::of_this_process();
  WorkerIdentity identity{.host = host_name(),
                          .pid = ::getpid(),
                          .slots = options_.slots,
                          .async_calls = options_.async_calls};
  if (options_.trial) identity.trial_of = options_.trial->of;
  const auto ended = [&]() -> Result<void> {
    RetryLog told(*log_, "cannot join", "can join again");
    while (stop_request() == StopRequest::none) {
      flows.forget();
      const auto known = flows.refresh(Steady::max());
      const auto id = known ? store_.join(identity, options_.lease)
                            : Result<WorkerId>(std::unexpected(known.error()));
      if (!id) {
        if (id.error().code != ErrorCode::unavailable) return std::unexpected(id.error());
        told.failed(id.error());
        store_.wait(join_pause);
        continue;
      }
      told.succeeded();
      const std::size_t count = flows.slugs().size();
      log_->info("worker {} serves {} flow{} with {} slots", *id, count, count == 1 ? "" : "s",
                 options_.slots);
      if (options_.trial)
        log_->info("worker {} runs {} suspect{} again, in halves", *id,
                   options_.trial->suspects.size(),
                   options_.trial->suspects.size() == 1 ? "" : "s");
      if (options_.recorder) options_.recorder->add_worker(*id);
      const Steady joined = std::chrono::steady_clock::now();
      const auto end = [&] {
        FlowWorkers::Registration registration = flow_workers.register_worker(
            {.worker = *id, .slots = options_.slots}, flows.slugs(),
            [this] {
              runs_may_wait_.store(true, std::memory_order_relaxed);
              store_.wake();
            },
            [this] {
              flows_changed_.store(true, std::memory_order_relaxed);
              store_.wake();
            });
        return WorkerLoop(options_, flows, registration, store_, slots, *log_,
                          {.stop_request = stop_request,
                           .runs_may_wait = runs_may_wait,
                           .flows_changed = flows_changed},
                          across)
            .run(*id);
      }();
      if (options_.recorder) options_.recorder->remove_worker(*id);
      const bool drained = end && *end == WorkerLoop::Ended::drained;
      if (!end) log_->error("worker {} stops and joins again: {}", *id, to_string(end.error()));
      wake_others(flow_workers, flows.slugs(), stop_request() == StopRequest::none);
      if (drained) return {};
      wait(pause.after(std::chrono::steady_clock::now() - joined));
    }
    return {};
  }();
  const std::size_t left = handlers_left_ = slots.close(handler_patience);
  if (left > 0) log_->warn("{} handler{} ignored the stop token", left, left == 1 ? "" : "s");
  if (!options_.resources) resources->end(*log_);
  if (!ended) return std::unexpected(ended.error());
  return Ended{.handlers_left = left};
}

// Until the pause is over or the worker is drained; what else wakes it does not count.
void Worker::wait(std::chrono::milliseconds pause) {
  const Steady until = std::chrono::steady_clock::now() + pause;
  for (Steady now = until - pause;
       now < until && stop_request_.load(std::memory_order_relaxed) == StopRequest::none;
       now = std::chrono::steady_clock::now())
    store_.wait(std::chrono::ceil<std::chrono::milliseconds>(until - now));
}

// Others can claim the released runs now: wakes the workers of this process that serve the same
// flows, and warns of flows that no worker of this process serves until this one is back.
void Worker::wake_others(const FlowWorkers& others, const std::vector<std::string>& slugs,
                         bool comes_back) {
  std::string unserved;
  for (const std::string& slug : slugs)
    if (others.wake(slug) == 0) unserved += (unserved.empty() ? "" : ", ") + slug;
  if (comes_back && !unserved.empty())
    log_->warn("until then no worker of this process serves {}", unserved);
}

void Worker::drain() noexcept {
  StopRequest expected = StopRequest::none;
  stop_request_.compare_exchange_strong(expected, StopRequest::drain, std::memory_order_relaxed);
  store_.wake();
}

void Worker::stop_now() noexcept {
  stop_request_.store(StopRequest::stop_now, std::memory_order_relaxed);
  store_.wake();
}

}  // namespace weir
