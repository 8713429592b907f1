#pragma once
#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <weir/abi/plugin.h>
#include <weir/sdk/handler.hpp>
#include <weir/sdk/options.hpp>
#include <weir/sdk/shape.hpp>

namespace weir {
namespace sdk {

enum class Kind { single, map };

/// A step's code: what to call, what it takes (anything when it takes nothing) and what it returns.
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
  return {&run<handler>, input, &Codec<typename Types::Result>::shape};
}

/// A step as it is being written down, with its options: CommonOptions has the others.
template <Kind kind_, std::size_t dependencies>
struct StepDraft : CommonOptions<StepDraft<kind_, dependencies>> {
  static constexpr Kind kind = kind_;
  std::string_view slug;
  Code code;
  std::array<std::string_view, dependencies> depends_on{};

  /// Waits for these steps; the input is then an object with the result of each under its name.
  template <std::convertible_to<std::string_view>... Slug>
    requires(kind_ == Kind::single)
  consteval auto after(const Slug&... others) const {
    return depending_on(others...);
  }

  /// One task for every element of what that step returns; without it, of the run's input.
  template <std::convertible_to<std::string_view>... Slug>
    requires(kind_ == Kind::map)
  consteval auto over(const Slug&... other) const {
    return depending_on(other...);
  }

  /// Waits this long before the first attempt.
  consteval StepDraft start_delay(std::chrono::milliseconds delay) const {
    return this->with(Option::start_delay, delay.count());
  }

 private:
  template <class... Slug>
  consteval StepDraft<kind_, dependencies + sizeof...(Slug)> depending_on(
      const Slug&... others) const {
    StepDraft<kind_, dependencies + sizeof...(Slug)> draft{{this->values}, slug, code};
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

/// Options for all steps of a flow: `WEIR_FLOW(order_totals, "shop.OrderTotals",
/// options().max_attempts(5), …)`.
consteval sdk::FlowOptions options() { return {}; }

}  // namespace weir
