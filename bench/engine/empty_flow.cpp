#include "bench/engine/empty_flow.hpp"

#include <charconv>
#include <string_view>

#include <fmt/core.h>

#include "bench/required.hpp"

namespace weir::bench {
namespace {

std::int32_t returned(const weir_host* host, weir_call* call) {
  constexpr std::string_view output = R"({"ok": true})";
  return host->output(call, {output.data(), output.size()});
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

EmptyFlow::EmptyFlow(std::size_t steps, Shape shape)
    : steps_(steps), shape_(shape), step_(step_of(count)) {
  step_.user = this;
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
