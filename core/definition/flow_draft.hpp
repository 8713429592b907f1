#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "definition/step_options.hpp"

namespace weir {

/// A definition as somebody wrote it: names unchecked, dependencies by name, options as far as
/// given.
struct FlowDraft {
  struct Step {
    std::string slug;
    std::string kind = "single";
    std::vector<std::string> depends_on = {};
    OptionOverrides options = {};
    std::optional<Json> only_if = {}, unless = {};   ///< patterns (F7)
    std::optional<std::string> when_unmet = {};      ///< fail, skip (the default), skip_cascade
    std::optional<std::string> when_exhausted = {};  ///< fail (the default), skip, skip_cascade
    std::optional<std::string> signal = {};  ///< of a wait: what ends it; absent: the step's slug
    std::optional<std::string> flow = {};    ///< of a flow step: the slug of the flow it starts
  };
  std::string module;
  std::string slug;
  OptionOverrides options = {};  ///< for every step, unless the step says otherwise
  std::vector<Step> steps = {};
  std::optional<Json> input_schema = {};
};

}  // namespace weir
