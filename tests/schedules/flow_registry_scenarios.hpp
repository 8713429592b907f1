/// What happens to a FlowRegistry in a schedule: the same bodies for the real class and for copies
/// with a mistake planted in them. Each scenario is small enough for depth-first search.
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <weir/testing/linearizability.hpp>
#include <weir/testing/lockstep.hpp>

#include "base/assert.hpp"
#include "registry/flow_registry.hpp"
#include "registry/impl/flow_registry.hpp"

namespace weir::schedules {

using lockstep::require;
using lockstep::Sync;
using Flows = BasicFlowRegistry<Sync>;
using FlowsHandle = BasicFlowHandle<Sync>;
using FlowsTicket = BasicUnloadTicket<Sync>;

inline constexpr std::size_t one_stripe = 1;
inline constexpr std::size_t two_stripes = 2;

inline Slug slug(std::string_view text) { return *Slug::parse(text); }
inline ModuleName module_name(std::string_view text) { return *ModuleName::parse(text); }

/// Made once for all schedules: making a definition is expensive and has nothing to do with them.
inline FlowModule flow(const std::string& module, const std::string& slug_text, std::int64_t number,
                       std::shared_ptr<const void> code = {}) {
  static std::map<std::tuple<std::string, std::string, std::int64_t>, FlowDefinition> made;
  const auto key = std::make_tuple(module, slug_text, number);
  auto found = made.find(key);
  if (found == made.end()) {
    auto definition = FlowDefinition::build({.module = module,
                                             .slug = slug_text,
                                             .options = {.max_attempts = number},
                                             .steps = {{.slug = "s"}}});
    WEIR_ASSERT(definition.has_value());
    found = made.emplace(key, *std::move(definition)).first;
  }
  static const weir_step step = {.struct_size = sizeof(weir_step),
                                 .reserved = 0,
                                 .slug = {"s", 1},
                                 .run = [](const weir_host*, weir_call*, weir_str,
                                           void*) -> int32_t { return WEIR_CANCELLED; },
                                 .user = nullptr};
  return {.definition = found->second,
          .steps = {&step},
          .file = {.path = module, .sha256 = ""},
          .code = std::move(code)};
}

inline std::int64_t number_of(const FlowModule& module) {
  return module.definition.steps()[0].options.max_attempts;
}

/// Stands for a plugin's library.
struct Library {
  bool open = true;
  std::shared_ptr<const void> mapped() {
    return {this, [](const void* self) {
              auto* library = static_cast<Library*>(const_cast<void*>(self));
              require(library->open, "a library is closed twice");
              library->open = false;
            }};
  }
};

/// Modules shop.A and shop.B with a slug each and one number, in one transaction.
inline void publish_both(Flows& flows, std::int64_t number, const char* of_a, const char* of_b) {
  Flows::Transaction both = flows.begin();
  both.register_(flow("shop.A", of_a, number));
  both.register_(flow("shop.B", of_b, number));
  require(both.commit().has_value(), "a swap was refused");
}

/// G3: a section that looks at two flows while they swap their slugs.
inline void a_section_against_a_two_key_swap() {
  Flows flows(one_stripe);
  publish_both(flows, 1, "left", "right");
  Sync::Thread reader([&] {
    for (int i = 0; i < 2; ++i) {
      const Flows::Section section(flows);
      const FlowModule* left = section.flow(slug("left"));
      const FlowModule* a = section.flow(module_name("shop.A"));
      const FlowModule* b = section.flow(module_name("shop.B"));
      require(left != nullptr && a != nullptr && b != nullptr, "a key vanished");
      require(left == (number_of(*a) == 1 ? a : b), "a slug leads to another flow than its module");
      require(number_of(*a) == number_of(*b), "half of a swap is visible");
    }
  });
  Sync::Thread writer([&] { publish_both(flows, 2, "right", "left"); });
  reader.join();
  writer.join();
}

/// G3: likewise, by one call after the other.
inline void gets_against_a_two_key_swap() {
  Flows flows(one_stripe);
  publish_both(flows, 1, "left", "right");
  const auto read_both = [&] {
    const auto before = flows.get(slug("left"));
    const auto after = flows.get(slug("right"));
    require(before.has_value() && after.has_value(), "a slug vanished");
    require(number_of(**before) <= number_of(**after), "a swap was undone");
  };
  Sync::Thread first(read_both);
  Sync::Thread second(read_both);
  Sync::Thread writer([&] { publish_both(flows, 2, "right", "left"); });
  first.join();
  second.join();
  writer.join();
}

/// G6: what a section found, without holding it, while it is taken out.
inline void a_section_against_an_unregistration() {
  Library library;
  Flows flows(one_stripe);
  flows.register_or_throw(flow("shop.A", "a", 1, library.mapped()));
  Sync::Thread reader([&] {
    const Flows::Section section(flows);
    const FlowModule* found = section.flow(slug("a"));
    if (found == nullptr) return;
    require(library.open, "a reader's library was closed under it");
    {
      const Flows::Section nested(flows);
      static_cast<void>(nested.flow(slug("a")));
    }
    lockstep::point();
    require(library.open, "a reader's library was closed under it");
    require(number_of(*found) == 1, "a reader's definition changed");
  });
  Sync::Thread writer(
      [&] { require(flows.unregister(module_name("shop.A")), "there was nothing to unregister"); });
  reader.join();
  writer.join();
}

/// G6: handles taken, copied and dropped while their flow is taken out.
inline void pins_against_retirement() {
  Library library;
  Flows flows(two_stripes);
  flows.register_or_throw(flow("shop.A", "a", 1, library.mapped()));
  const auto hold = [&] {
    auto held = flows.get(slug("a"));
    if (!held) return;
    require(library.open, "a library was closed while a handle holds it");
    FlowsHandle copy = *held;
    *held = {};
    require(library.open && number_of(*copy) == 1, "a library was closed while a handle holds it");
  };
  FlowsTicket ticket;
  Sync::Thread first(hold);
  Sync::Thread second(hold);
  Sync::Thread writer([&] { flows.unregister(module_name("shop.A"), &ticket); });
  first.join();
  second.join();
  writer.join();
  require(ticket.ready(), "nobody holds the flow and it is not gone");
  require(!library.open, "the flow is gone and its library open");
}

/// One who waits for a library to be closed, and the last who holds it, on two threads of copies.
inline void a_ticket_against_the_last_release() {
  Library library;
  Flows flows(two_stripes);
  flows.register_or_throw(flow("shop.A", "a", 1, library.mapped()));
  FlowsHandle held = *flows.get(slug("a"));
  FlowsHandle copy = held;
  FlowsTicket ticket;
  Sync::Thread first([&] { held = {}; });
  Sync::Thread second([&] { copy = {}; });
  Sync::Thread writer([&] {
    flows.unregister(module_name("shop.A"), &ticket);
    // Time may pass whenever a schedule wants it to, so not to be ready in time is no mistake.
    for (int patience = 0; patience < 2; ++patience)
      if (ticket.wait_until(Sync::Clock::now() + std::chrono::hours(1)))
        require(!library.open, "a ticket spoke before the library was closed");
  });
  first.join();
  second.join();
  writer.join();
  require(ticket.ready(), "nobody holds the flow and it is not gone");
  require(!library.open, "the flow is gone and its library open");
}

/// A handle that is copied and dropped while its registry ends.
inline void a_handle_outlives_the_registry() {
  Library library;
  std::optional<Flows> flows(std::in_place, two_stripes);
  flows->register_or_throw(flow("shop.A", "a", 1, library.mapped()));
  FlowsHandle held = *flows->get(slug("a"));
  Sync::Thread holder([&, mine = held]() mutable {
    FlowsHandle copy = mine;
    mine = {};
    require(library.open && number_of(*copy) == 1, "a library was closed while a handle holds it");
    copy = {};
  });
  Sync::Thread other([&, mine = std::move(held)]() mutable { mine = {}; });
  flows.reset();
  holder.join();
  other.join();
  require(!library.open, "the last handle is gone and the library open");
}

/// The counts of one flow are given to the next while a handle of the first is dropped.
inline void the_counts_of_a_flow_are_used_again() {
  Library first;
  Library second;
  Flows flows(one_stripe);
  flows.register_or_throw(flow("shop.A", "a", 1, first.mapped()));
  Sync::Thread holder([&, held = *flows.get(slug("a"))]() mutable {
    require(first.open, "a library was closed while a handle holds it");
    held = {};
  });
  Sync::Thread writer([&] {
    flows.unregister(module_name("shop.A"));
    flows.register_or_throw(flow("shop.B", "b", 1, second.mapped()));
    FlowsHandle held = *flows.get(slug("b"));
    flows.unregister(module_name("shop.B"));
    lockstep::point();
    require(second.open, "a library was closed while a handle holds it");
  });
  holder.join();
  writer.join();
  require(!first.open && !second.open, "a library stayed open that nobody holds");
}

/// V2: a version is reached by its fingerprint from its registration to its retirement.
inline void a_version_against_its_succession_and_retirement() {
  Library library;
  const std::string old = flow("shop.A", "a", 1).definition.fingerprint();
  Flows flows(one_stripe);
  flows.register_or_throw(flow("shop.A", "a", 1, library.mapped()));
  bool retiring = false;
  Sync::Thread reader([&] {
    const bool may_be_gone = retiring;
    const auto held = flows.get(slug("a"), old);
    require(held.has_value() || may_be_gone || retiring, "a version vanished before its time");
    if (!held) return;
    require(library.open, "a library was closed while a handle holds it");
    require(number_of(**held) == 1, "another version than was asked for");
  });
  Sync::Thread writer([&] {
    Flows::Transaction succeed = flows.begin();
    succeed.succeed(flow("shop.A", "a", 2));
    require(succeed.commit().has_value(), "the succession was refused");
    retiring = true;
    Flows::Transaction retire = flows.begin();
    retire.retire(slug("a"), old);
    require(retire.commit().has_value(), "the retirement was refused");
  });
  reader.join();
  writer.join();
}

/// What is called and answered, for the history: numbers stand for what was found.
struct FlowCall {
  enum class What { register_, unregister, by_slug, by_module };
  What what;
  std::string module = {};
  std::string slug = {};
  std::int64_t number = 0;
};

/// A registry for one thread: module → slug and number.
struct FlowModel {
  std::map<std::string, std::pair<std::string, std::int64_t>> flows = {};

  std::int64_t operator()(const FlowCall& call) {
    const auto found = flows.find(call.module);
    switch (call.what) {
      case FlowCall::What::register_: {
        for (const auto& [module, held] : flows)
          if (module != call.module && held.first == call.slug) return -1;
        const auto wanted = std::make_pair(call.slug, call.number);
        if (found != flows.end() && found->second == wanted)
          return static_cast<std::int64_t>(FlowChange::unchanged);
        const FlowChange change = found == flows.end() ? FlowChange::added : FlowChange::replaced;
        flows[call.module] = wanted;
        return static_cast<std::int64_t>(change);
      }
      case FlowCall::What::unregister:
        return static_cast<std::int64_t>(flows.erase(call.module));
      case FlowCall::What::by_module:
        return found == flows.end() ? 0 : found->second.second;
      case FlowCall::What::by_slug:
        for (const auto& [module, held] : flows)
          if (held.first == call.slug) return held.second;
        return 0;
    }
    return 0;
  }
  auto operator<=>(const FlowModel&) const = default;
};

using FlowHistory = lockstep::History<FlowCall, std::int64_t>;

inline void perform(FlowHistory& history, Flows& flows, const FlowCall& call) {
  history.record(call, [&]() -> std::int64_t {
    const auto number = [](const auto& found) { return found ? number_of(**found) : 0; };
    switch (call.what) {
      case FlowCall::What::register_: {
        const auto change = flows.register_(flow(call.module, call.slug, call.number));
        return change ? static_cast<std::int64_t>(*change) : -1;
      }
      case FlowCall::What::unregister:
        return flows.unregister(module_name(call.module)) ? 1 : 0;
      case FlowCall::What::by_module:
        return number(flows.get(module_name(call.module)));
      case FlowCall::What::by_slug:
        return number(flows.get(slug(call.slug)));
    }
    return 0;
  });
}

/// get, register_ and unregister of three threads are as if one thread had called them in an order.
inline void calls_of_three_threads() {
  using enum FlowCall::What;
  Flows flows(one_stripe);
  FlowHistory history;
  const auto call = [&](FlowCall of) { perform(history, flows, of); };
  call({.what = register_, .module = "shop.A", .slug = "a", .number = 1});
  Sync::Thread first([&] {
    call({.what = register_, .module = "shop.A", .slug = "b", .number = 2});
    call({.what = by_slug, .slug = "a"});
  });
  Sync::Thread second([&] {
    call({.what = register_, .module = "shop.B", .slug = "a", .number = 3});
    call({.what = unregister, .module = "shop.A"});
  });
  Sync::Thread reader([&] {
    call({.what = by_slug, .slug = "b"});
    call({.what = by_module, .module = "shop.A"});
    call({.what = by_slug, .slug = "a"});
  });
  first.join();
  second.join();
  reader.join();
  require(history.linearizable(FlowModel{}), "no order of the calls explains their answers");
}

}  // namespace weir::schedules
