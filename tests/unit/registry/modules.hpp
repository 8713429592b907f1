#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "registry/flow_registry.hpp"

namespace weir {

inline int32_t runs_nothing(const weir_host*, weir_call*, weir_str, void*) {
  return WEIR_CANCELLED;
}

inline const weir_step* code_of_a_step() {
  static const weir_step step = {.struct_size = sizeof(weir_step),
                                 .reserved = 0,
                                 .slug = {"s", 1},
                                 .run = runs_nothing,
                                 .user = nullptr};
  return &step;
}

struct ModuleSpec {
  std::string module = "shop.A";
  std::string slug = "a";
  std::string path = "plugins/a.so";
  std::string sha256 = std::string(64, 'a');
  std::int64_t max_attempts = 3;  // another value makes another fingerprint
  std::shared_ptr<const void> code = {};
};

inline FlowModule module(const ModuleSpec& spec) {
  auto definition = FlowDefinition::build({.module = spec.module,
                                           .slug = spec.slug,
                                           .options = {.max_attempts = spec.max_attempts},
                                           .steps = {{.slug = "s"}}});
  REQUIRE(definition);
  return {.definition = *std::move(definition),
          .steps = {code_of_a_step()},
          .file = {.path = spec.path, .sha256 = spec.sha256},
          .code = spec.code};
}

inline ModuleName module_name(std::string_view text) { return *ModuleName::parse(text); }
inline Slug slug(std::string_view text) { return *Slug::parse(text); }

inline Result<std::vector<FlowChange>> changes_of(Result<FlowRegistry::Committed> committed) {
  if (!committed) return std::unexpected(committed.error());
  return std::move(committed->changes);
}

// Everything in a registry as "slug=module slug=module", in list()'s order. Both ways in must
// agree.
inline std::string contents(const FlowRegistry& registry) {
  std::string text;
  for (const FlowHandle& flow : registry.list()) {
    const FlowDefinition& definition = flow->definition;
    CHECK(registry.get(definition.slug()) == flow);
    CHECK(registry.get(definition.module()) == flow);
    text +=
        (text.empty() ? "" : " ") + definition.slug().string() + "=" + definition.module().string();
  }
  return text;
}

}  // namespace weir
