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
  };
  std::string module;
  std::string slug;
  OptionOverrides options = {};  ///< for every step, unless the step says otherwise
  std::vector<Step> steps = {};
  std::optional<Json> input_schema = {};
};

}  // namespace weir
