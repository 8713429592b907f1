#include "bench/growth/growth_flows.hpp"

#include <cstdint>
#include <ctime>
#include <random>
#include <string>

#include <fmt/core.h>

#include "bench/engine/empty_flow.hpp"
#include "bench/required.hpp"

namespace weir::bench {
namespace {

std::int64_t thread_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

std::int32_t compute(const weir_host* host, weir_call* call, weir_str, void*) {
  constexpr std::int64_t needed = 2'000'000;
  const std::int64_t began = thread_nanoseconds();
  while (thread_nanoseconds() - began < needed) continue;
  constexpr std::string_view output = "1";
  return host->output(call, {output.data(), output.size()});
}

constexpr std::string_view outputs_of = "outputs_of_";

// A JSON string of so many bytes.
std::string random_text(std::size_t bytes) {
  constexpr std::string_view letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::mt19937 random(1);
  std::string text(bytes, '"');
  for (std::size_t i = 1; i + 1 < bytes; ++i) text[i] = letters[random() % letters.size()];
  return text;
}

std::int32_t return_text(const weir_host* host, weir_call* call, weir_str, void* user) {
  const std::string& text = *static_cast<const std::string*>(user);
  return host->output(call, {text.data(), text.size()});
}

FlowModule flow_with(std::string_view slug, std::string_view kind, const weir_step& step) {
  FlowDraft draft;
  draft.module = "bench.Growth";
  draft.slug = slug;
  FlowDraft::Step only;
  only.slug = "only";
  only.kind = kind;
  draft.steps.push_back(only);
  return flow_of(draft, step);
}

}  // namespace

FlowModule growth_flow(std::string_view slug) {
  static EmptyFlow empty(1);
  static const weir_step busy = step_of(compute), none = step_of(nullptr);
  if (slug == EmptyFlow::slug) return empty.module();
  if (slug == "parking") return flow_with(slug, "wait", none);
  if (slug == "busy") return flow_with(slug, "map", busy);
  if (slug.starts_with(outputs_of)) {
    static std::string text = random_text(std::stoul(std::string(slug.substr(outputs_of.size()))));
    static weir_step returning = step_of(return_text);
    returning.user = &text;
    return flow_with(slug, "single", returning);
  }
  fail("there is no flow \"" + std::string(slug) + "\"");
}

std::string flow_with_outputs(std::size_t bytes) { return fmt::format("{}{}", outputs_of, bytes); }

}  // namespace weir::bench
