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
  option_out_of_range,  ///< about the option; the ranges stand in weir/sdk/options.hpp (D3)
  no_steps,
  too_many_steps,  ///< more than 1024
  duplicate_step,  ///< two of that name, whatever their case
  unknown_dependency,
  self_dependency,
  duplicate_dependency,
  cycle,             ///< the step waits for the other one, which waits for it
  map_dependencies,  ///< a map goes over one step, or over the run's input

  misplaced_option,   ///< about one that means nothing to a step of that kind: a wait and a flow
                      ///< step are not tried again, when_unmet needs a condition
  bad_signal,         ///< about it: such words joined by dots, 1 to 128 bytes in all
  duplicate_signal,   ///< the other wait is for the same signal
  flow_dependencies,  ///< a flow step takes its input from one step, or from the run
  endless_flow,       ///< a step without a condition starts its own flow again

  condition_is_no_json,  ///< about what stands where it stops being JSON
  condition_never_met,   ///< about what it asks for: of a step after others that is an object, with
                         ///< some of those as its keys; of a wait {"signalled": …, "payload": …}

  map_over_no_array,              ///< the step it goes over returns something else
  result_does_not_fit_input,      ///< what the other step returns, this one cannot take
  input_is_no_object,             ///< a step after others takes an object with a member for each
  input_member_is_no_dependency,  ///< nothing would ever fill it: make it optional or add the
                                  ///< dependency
  input_member_can_be_absent,  ///< the other step can be skipped: make it a std::optional, or ask
                               ///< for it in only_if
};

namespace sdk {

/// The first thing that is wrong with a flow, if any.
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
    text[word.size()] = '\0';  // or clang prints numbers instead of some words
  }
  char text[size]{};
};

/// Declared and never defined: no compiler can evaluate a call, and each prints which one it was.
template <refused why, Word step, Word about>
void refuse();

}  // namespace sdk
}  // namespace weir
