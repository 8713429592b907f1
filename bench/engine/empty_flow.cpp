#include "bench/engine/empty_flow.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include <weir/async.hpp>

#include "bench/required.hpp"

namespace weir::bench {
namespace {

std::int32_t returned(const weir_host* host, weir_call* call) {
  constexpr std::string_view output = R"({"ok": true})";
  return host->output(call, {output.data(), output.size()});
}

Async<int> wait_once(Context& context) {
  co_await context.sleep(std::chrono::nanoseconds(0));
  co_return 1;
}

FlowDraft draft_of(std::size_t steps, std::string_view kind) {
  FlowDraft draft;
  draft.module = "bench.Engine";
  draft.slug = EmptyFlow::slug;
  for (std::size_t i = 0; i < steps; ++i) {
    FlowDraft::Step next;
    next.slug = fmt::format("s{}", i);
    next.kind = kind;
    if (i > 0) next.depends_on.push_back(fmt::format("s{}", i - 1));
    draft.steps.push_back(next);
  }
  return draft;
}

}  // namespace

Completer::~Completer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Completer::add(const weir_host& host, const weir_async& async, weir_call* deferred) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back({.host = &host, .async = &async, .call = deferred});
  if (waiting_.size() == 1) changed_.notify_one();
}

void Completer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::vector<Deferred> all = std::exchange(waiting_, {});
    lock.unlock();
    for (const Deferred& each : all) {
      each.async->enter(each.call);
      const std::int32_t result = returned(each.host, each.call);
      each.async->complete(each.call, result == 0 ? WEIR_OK : WEIR_FAILED);
      each.async->leave(each.call);
    }
    lock.lock();
  }
}

EmptyFlow::EmptyFlow(std::size_t steps, Shape shape, Handler handler)
    : steps_(steps), shape_(shape), step_(step_of(code_of(handler))) {
  step_.user = this;
  if (handler == Handler::deferred) completer_.emplace();
}

decltype(weir_step::run) EmptyFlow::code_of(Handler handler) {
  switch (handler) {
    case Handler::plain:
      return count;
    case Handler::deferred:
      return defer;
    case Handler::awaiting:
      return await;
  }
  std::abort();
}

FlowModule EmptyFlow::module() const {
  return flow_of(draft_of(steps_, shape_ == Shape::map ? "map" : "single"), step_);
}

Json EmptyFlow::input() const {
  if (shape_ == Shape::chain) return required(Json::parse(R"({"n": 1})"));
  return Json::array(std::vector<Json>(tasks_a_run(), Json::number(1)));
}

std::int32_t EmptyFlow::count(const weir_host* host, weir_call* call, weir_str, void* user) {
  static_cast<EmptyFlow*>(user)->begun_.fetch_add(1, std::memory_order_relaxed);
  return returned(host, call);
}

std::int32_t EmptyFlow::defer(const weir_host* host, weir_call* call, weir_str, void* user) {
  EmptyFlow& flow = *static_cast<EmptyFlow*>(user);
  flow.begun_.fetch_add(1, std::memory_order_relaxed);
  constexpr std::string_view id = WEIR_ASYNC_V1;
  const auto* const async =
      static_cast<const weir_async*>(host->extension(host, {id.data(), id.size()}));
  weir_call* const deferred = async->defer(call);
  if (deferred == nullptr) return returned(host, call);
  flow.completer_->add(*host, *async, deferred);
  return WEIR_PENDING;
}

std::int32_t EmptyFlow::await(const weir_host* host, weir_call* call, weir_str input, void* user) {
  static_cast<EmptyFlow*>(user)->begun_.fetch_add(1, std::memory_order_relaxed);
  return sdk::run_async<wait_once>(host, call, input, nullptr);
}

TimedFlow::TimedFlow(std::size_t runs) : began_(runs), step_(step_of(note)) { step_.user = this; }

FlowModule TimedFlow::module() const { return flow_of(draft_of(1, "single"), step_); }

std::optional<Clock::time_point> TimedFlow::began(std::size_t run) const {
  const Clock::rep at = began_.at(run).load(std::memory_order_relaxed);
  if (at == 0) return std::nullopt;
  return Clock::time_point(Clock::duration(at));
}

std::int32_t TimedFlow::note(const weir_host* host, weir_call* call, weir_str input, void* user) {
  const Clock::rep now = Clock::now().time_since_epoch().count();
  std::size_t run = 0;
  std::from_chars(input.data, input.data + input.size, run);
  static_cast<TimedFlow*>(user)->began_.at(run).store(now, std::memory_order_relaxed);
  return returned(host, call);
}

}  // namespace weir::bench
