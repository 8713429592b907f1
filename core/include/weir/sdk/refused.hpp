#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

namespace weir {

/// Why a flow does not compile (D5). The error shows this name, the step, and what it is about:
///
///     call to non-constexpr function 'void weir::sdk::refuse() [with weir::refused why =
///     weir::refused::unknown_dependency; weir::sdk::Word<4> step = {"sum"}; weir::sdk::Word<6>
///     about = {"pirce"}]'
enum class refused {
  nothing,
  bad_slug,  ///< letters, digits and _, not beginning with a digit, 1 to 128 bytes, not `run` (D1)
  bad_module_name,      ///< such words joined by dots, 1 to 255 bytes in all (D2)
  option_out_of_range,  ///< about the option; the ranges are in weir/sdk/options.hpp (D3)
  no_steps,
  too_many_steps,  ///< more than 1024
  duplicate_step,  ///< two of that name, ignoring case
  unknown_dependency,
  self_dependency,
  duplicate_dependency,
  cycle,             ///< the step waits for the other one, which waits for it
  map_dependencies,  ///< a map runs over the result of one step, or over the run's input
  /// About an option that does not apply to the step: a wait and a flow step are not retried,
  /// when_unmet needs a condition.
  misplaced_option,
  bad_signal,             ///< about it: must be such words joined by dots, 1 to 128 bytes in all
  duplicate_signal,       ///< the other wait is for the same signal
  flow_dependencies,      ///< a flow step takes its input from one step, or from the run
  endless_flow,           ///< a step without a condition starts its own flow again
  condition_is_not_json,  ///< about the text where it stops being JSON
  /// About what the pattern asks for. It must be an object: for a step with dependencies, with some
  /// of those as its keys; for the output of a wait, {"signalled": …, "payload": …}.
  condition_never_met,
  map_over_non_array,         ///< the step it runs over returns something else
  result_does_not_fit_input,  ///< this step cannot take what the other step returns
  input_is_not_an_object,     ///< a step with dependencies takes an object with a member for each
  /// Nothing would ever fill it: make it optional or add the dependency.
  input_member_is_not_a_dependency,
  /// The other step can be skipped: make it a std::optional, or ask for it in only_if.
  input_member_can_be_absent,
};

namespace sdk {

/// The first fault of a flow, if any.
struct Fault {
  refused why = refused::nothing;
  std::string_view step{}, about{};

  constexpr explicit operator bool() const { return why != refused::nothing; }
};

/// Text as a template argument, so that compilers print it.
template <std::size_t size>
struct Word {
  constexpr explicit Word(std::string_view word) {
    std::ranges::copy(word, text);
    text[word.size()] = '\0';  // otherwise clang prints numbers instead of some words
  }
  char text[size]{};
};

/// Declared and never defined: no compiler can evaluate a call, and each prints which call it was.
template <refused why, Word step, Word about>
void refuse();

}  // namespace sdk
}  // namespace weir
