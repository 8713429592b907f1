#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "definition/step_options.hpp"

namespace weir {

/// A definition as it was written: names are unchecked, dependencies are names, and an option is
/// present only where it was given.
struct FlowDraft {
  struct Step {
    std::string slug;
    std::string kind = "single";
    std::vector<std::string> depends_on = {};
    OptionOverrides options = {};
    std::optional<Json> only_if = {}, unless = {};   ///< patterns (F7)
    std::optional<std::string> when_unmet = {};      ///< fail, skip (the default), skip_cascade
    std::optional<std::string> when_exhausted = {};  ///< fail (the default), skip, skip_cascade
    std::optional<std::string> signal = {};  ///< of a wait: what ends it; default: the step's slug
    std::optional<std::string> flow = {};    ///< of a flow step: the slug of the flow it starts
  };
  std::string module;
  std::string slug;
  OptionOverrides options = {};  ///< for every step, unless the step says otherwise
  std::vector<Step> steps = {};
  std::optional<Json> input_schema = {};
};

}  // namespace weir
