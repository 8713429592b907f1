#pragma once
#include <chrono>

#include <weir/context.hpp>
#include <weir/error.hpp>
#include <weir/json.hpp>
#include <weir/sdk/flow_checks.hpp>
#include <weir/sdk/for_each.hpp>
#include <weir/sdk/plugin.hpp>
#include <weir/step.hpp>
#include <weir/waited.hpp>

/// Everything a plugin needs: steps are functions, WEIR_FLOW makes a flow of them, WEIR_PLUGIN the
/// plugin.
///
///     static std::vector<std::string> fetch(weir::Context& context, Order order);
///     static Line price(weir::Context&, std::string sku);
///     static Total sum(weir::Context&, Priced priced);  // priced.price is a std::vector<Line>
///
///     WEIR_FLOW(order_totals, "shop.OrderTotals",
///               step<fetch>("fetch").max_attempts(5).timeout(30s),
///               map<price>("price").over("fetch"),
///               step<sum>("sum").after("price"));
///     WEIR_PLUGIN(order_totals)
///
/// A handler takes weir::Context& and, optionally, its input: for a root the run's input, for a map
/// one element, for any other step an object with the result of each of its dependencies, under
/// that step's name. It returns the result, or void for null. Types are those of weir/json.hpp.
///
/// Beside steps with code there are waits and steps that start another flow, and each step can have
/// conditions (weir/step.hpp):
///
///     wait("approval", 72h).after("check").only_if(R"({"check": {"large": true}})"),
///     flow("charge").runs("charge_card").over("check").when_exhausted(skip),
///
/// A step that can be skipped is a std::optional in the input of those after it.
///
/// Inside WEIR_FLOW the words step, map, wait, flow, options, fail, skip and skip_cascade are
/// reserved: a handler of such a name is written `step<::fail>("fail")`.
///
/// Steps may be in any order. Everything is checked while compiling, even whether the result of a
/// step is what its dependents take; weir/sdk/refused.hpp lists what is refused.

/// A flow: its slug, the name of its module, options for all its steps if there are any, and the
/// steps.
#define WEIR_FLOW(slug, module, ...)                                                         \
  [[maybe_unused]] static constexpr auto weir_flow_##slug = [] {                             \
    using namespace std::chrono_literals;                                                    \
    using ::weir::fallbacks::fail, ::weir::fallbacks::skip, ::weir::fallbacks::skip_cascade; \
    using ::weir::flow, ::weir::map, ::weir::options, ::weir::step, ::weir::wait;            \
    return ::weir::sdk::define_flow(#slug, module __VA_OPT__(, ) __VA_ARGS__);               \
  }();                                                                                       \
  static_assert(::weir::sdk::accept_flow<weir_flow_##slug>());

/// The plugin, once in each library: the slugs of its flows, in the namespace where they are
/// defined.
#define WEIR_PLUGIN(...)                                                                         \
  namespace {                                                                                    \
  struct weir_plugin_identity {                                                                  \
    static constexpr std::string_view name = WEIR_PLUGIN_NAME;                                   \
    static constexpr std::string_view version = WEIR_PLUGIN_VERSION;                             \
  };                                                                                             \
  using weir_plugin_parts =                                                                      \
      ::weir::sdk::Plugin<weir_plugin_identity, WEIR_FOR_EACH(WEIR_PLUGIN_FLOW, , __VA_ARGS__)>; \
  [[gnu::section(".note.weir"), gnu::used,                                                       \
    gnu::aligned(4)]] constinit const auto weir_plugin_note = weir_plugin_parts::note();         \
  }                                                                                              \
  extern "C" WEIR_EXPORT constinit const ::weir_plugin weir_plugin_v1 =                          \
      weir_plugin_parts::symbol(weir_plugin_note);
#define WEIR_PLUGIN_FLOW(fixed, slug) weir_flow_##slug

// weir_add_plugin() sets both; without them a plugin is named after its first flow.
#ifndef WEIR_PLUGIN_NAME
#define WEIR_PLUGIN_NAME ""
#endif
#ifndef WEIR_PLUGIN_VERSION
#define WEIR_PLUGIN_VERSION ""
#endif
