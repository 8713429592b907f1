#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <weir/abi/plugin.h>
#include <weir/sdk/handler.hpp>
#include <weir/sdk/options.hpp>
#include <weir/sdk/shape.hpp>
#include <weir/waited.hpp>

namespace weir {
namespace sdk {

enum class Kind { single, map, wait, flow };

/// What happens to a step that cannot complete (F5, F7).
enum class Fallback { fail, skip, skip_cascade };

/// A step's code: its function, what it takes (anything if it takes no input) and what it returns.
struct Code {
  std::int32_t (*run)(const weir_host*, weir_call*, weir_str, void*) noexcept;
  const Shape* input;
  const Shape* result;
};

template <auto handler>
consteval Code code_of() {
  using Types = SignatureOf<handler>;
  const Shape* input = &Codec<boost::json::value>::shape;
  if constexpr (Types::takes_input) input = &Codec<typename Types::Input>::shape;
  return {run_of<handler>, input, &Codec<typename Types::Result>::shape};
}

/// A wait and a flow step run no code of the plugin.
consteval Code code_of_wait() {
  return {nullptr, &Codec<boost::json::value>::shape, &Codec<Waited<boost::json::value>>::shape};
}
consteval Code code_of_flow() {
  return {nullptr, &Codec<boost::json::value>::shape, &Codec<boost::json::value>::shape};
}

/// Further settings of a step, as far as they are given.
struct StepSettings {
  std::optional<std::string_view> only_if{}, unless{};  ///< JSON
  std::optional<Fallback> when_unmet{}, when_exhausted{};
  std::string_view signal{};  ///< of a wait; empty: its slug
  std::string_view child{};   ///< the flow that a flow step starts; empty: its slug

  constexpr bool is_conditional() const { return only_if || unless; }
};

/// A step that is being defined, with its options: CommonOptions has the others.
template <Kind kind_, std::size_t dependencies>
struct StepDraft : CommonOptions<StepDraft<kind_, dependencies>> {
  static constexpr Kind kind = kind_;
  std::string_view slug;
  Code code;
  StepSettings settings{};
  std::array<std::string_view, dependencies> depends_on{};

  /// Runs after these steps; the input is then an object with the result of each under its name.
  template <std::convertible_to<std::string_view>... Slug>
    requires(kind_ == Kind::single || kind_ == Kind::wait)
  consteval auto after(const Slug&... others) const {
    return depending_on(others...);
  }

  /// For a map: one task for every element of what that step returns; by default, of the run's
  /// input. For a flow step: what that step returns is the input of the run it starts; by default,
  /// the input of its own run.
  template <std::convertible_to<std::string_view>... Slug>
    requires(kind_ == Kind::map || kind_ == Kind::flow)
  consteval auto over(const Slug&... other) const {
    return depending_on(other...);
  }

  /// The name of the signal that ends the wait; by default, the step's slug.
  consteval StepDraft signal(std::string_view name) const
    requires(kind_ == Kind::wait)
  {
    return with_settings([&](StepSettings& changed) { changed.signal = name; });
  }

  /// The slug of the flow it starts, of this plugin or any other; by default, the step's slug.
  consteval StepDraft runs(std::string_view flow) const
    requires(kind_ == Kind::flow)
  {
    return with_settings([&](StepSettings& changed) { changed.child = flow; });
  }

  /// Runs only if the value that the step is given contains this JSON, in the sense of PostgreSQL's
  /// @>: the run's input, or for a step with dependencies the object that has the results of those
  /// that completed, by name. `.only_if(R"({"check": {"needs_approval": true}})")`; `{"check": {}}`
  /// asks only that `check` completed with an object. Every member of an object, and every element
  /// of an array in any place, must be there.
  consteval StepDraft only_if(std::string_view json) const {
    return with_settings([&](StepSettings& changed) { changed.only_if = json; });
  }

  /// Runs only if that value does not contain this JSON.
  consteval StepDraft unless(std::string_view json) const {
    return with_settings([&](StepSettings& changed) { changed.unless = json; });
  }

  /// What happens to the step when its conditions do not hold: skip (the default), fail,
  /// skip_cascade.
  consteval StepDraft when_unmet(Fallback fallback) const {
    return with_settings([&](StepSettings& changed) { changed.when_unmet = fallback; });
  }

  /// What happens to it once its attempts have failed: fail (the default), skip, skip_cascade.
  consteval StepDraft when_exhausted(Fallback fallback) const {
    return with_settings([&](StepSettings& changed) { changed.when_exhausted = fallback; });
  }

  /// Waits this long before the first attempt.
  consteval StepDraft start_delay(std::chrono::milliseconds delay) const {
    return this->with(Option::start_delay, delay.count());
  }

 private:
  template <class Change>
  consteval StepDraft with_settings(Change change) const {
    StepDraft changed = *this;
    change(changed.settings);
    return changed;
  }

  template <class... Slug>
  consteval StepDraft<kind_, dependencies + sizeof...(Slug)> depending_on(
      const Slug&... others) const {
    StepDraft<kind_, dependencies + sizeof...(Slug)> draft{{this->values}, slug, code, settings};
    std::ranges::copy(depends_on, draft.depends_on.begin());
    std::size_t next = dependencies;
    ((draft.depends_on[next++] = others), ...);
    return draft;
  }
};

struct FlowOptions : CommonOptions<FlowOptions> {};

}  // namespace sdk

/// A step that runs once: `step<fetch>("fetch").after("list").timeout(30s)`.
template <auto handler>
consteval sdk::StepDraft<sdk::Kind::single, 0> step(std::string_view slug) {
  return {{}, slug, sdk::code_of<handler>()};
}

/// A step that runs once for every element of an array: `map<price>("price").over("fetch")`.
template <auto handler>
consteval sdk::StepDraft<sdk::Kind::map, 0> map(std::string_view slug) {
  return {{}, slug, sdk::code_of<handler>()};
}

/// A step that waits for a signal, at most for that time: `wait("approval", 72h).after("check")`.
/// It never fails: its dependents take a weir::Waited, which shows whether the signal arrived. A
/// wait whose signal is never sent is a durable sleep.
consteval sdk::StepDraft<sdk::Kind::wait, 0> wait(std::string_view slug,
                                                  std::chrono::milliseconds at_most) {
  return sdk::StepDraft<sdk::Kind::wait, 0>{{}, slug, sdk::code_of_wait()}.timeout(at_most);
}

/// A step that starts a run of another flow, ends with it, and has the run's output as its own:
/// `flow("charge").runs("charge_card").over("prepare")`.
consteval sdk::StepDraft<sdk::Kind::flow, 0> flow(std::string_view slug) {
  return {{}, slug, sdk::code_of_flow()};
}

/// What happens to a step that cannot complete, for when_unmet and when_exhausted inside WEIR_FLOW.
/// fail: the run fails. skip: the step is skipped, and its dependents run without it. skip_cascade:
/// the step and all that depends on it, directly or not, are skipped.
namespace fallbacks {
[[maybe_unused]] inline constexpr sdk::Fallback fail = sdk::Fallback::fail;
[[maybe_unused]] inline constexpr sdk::Fallback skip = sdk::Fallback::skip;
[[maybe_unused]] inline constexpr sdk::Fallback skip_cascade = sdk::Fallback::skip_cascade;
}  // namespace fallbacks

/// Options for all steps of a flow: `WEIR_FLOW(order_totals, "shop.OrderTotals",
/// options().max_attempts(5), …)`.
consteval sdk::FlowOptions options() { return {}; }

}  // namespace weir
