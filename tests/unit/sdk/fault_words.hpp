#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include <weir/flow.hpp>

namespace weir::testing {

inline std::string name(refused why) {
  switch (why) {
    case refused::nothing:
      return "";
    case refused::bad_slug:
      return "bad_slug";
    case refused::bad_module_name:
      return "bad_module_name";
    case refused::option_out_of_range:
      return "option_out_of_range";
    case refused::no_steps:
      return "no_steps";
    case refused::too_many_steps:
      return "too_many_steps";
    case refused::duplicate_step:
      return "duplicate_step";
    case refused::unknown_dependency:
      return "unknown_dependency";
    case refused::self_dependency:
      return "self_dependency";
    case refused::duplicate_dependency:
      return "duplicate_dependency";
    case refused::cycle:
      return "cycle";
    case refused::map_dependencies:
      return "map_dependencies";
    case refused::map_over_non_array:
      return "map_over_non_array";
    case refused::result_does_not_fit_input:
      return "result_does_not_fit_input";
    case refused::input_is_not_an_object:
      return "input_is_not_an_object";
    case refused::input_member_is_not_a_dependency:
      return "input_member_is_not_a_dependency";
    case refused::misplaced_option:
      return "misplaced_option";
    case refused::bad_signal:
      return "bad_signal";
    case refused::duplicate_signal:
      return "duplicate_signal";
    case refused::flow_dependencies:
      return "flow_dependencies";
    case refused::endless_flow:
      return "endless_flow";
    case refused::condition_is_not_json:
      return "condition_is_not_json";
    case refused::condition_never_met:
      return "condition_never_met";
    case refused::input_member_can_be_absent:
      return "input_member_can_be_absent";
  }
  return "?";
}

/// What is wrong with a flow of these steps: "unknown_dependency(b, a)"; "" when nothing is.
template <std::size_t steps, std::size_t dependencies>
std::string fault(const sdk::Flow<steps, dependencies>& flow) {
  const sdk::Fault fault = sdk::check_flow(flow.view());
  if (!fault) return "";
  return name(fault.why) + '(' + std::string(fault.step) + ", " + std::string(fault.about) + ')';
}

/// The step under a condition that only the test's run knows.
template <class Draft>
Draft only_if(Draft step, std::string_view pattern) {
  step.settings.only_if = pattern;
  return step;
}

}  // namespace weir::testing
