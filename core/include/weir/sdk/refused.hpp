#pragma once
#include <string_view>

/// Why a flow does not compile. Declared and never defined: a consteval check calls the one that
/// fits, no compiler can evaluate the call, and so its name and what it was called with stand in
/// the message.
namespace weir::refused {

void bad_slug();  ///< letters, digits and _, not beginning with a digit, 1 to 128 bytes, not `run`
                  ///< (D1)
void bad_module_name();      ///< such names joined by dots, 1 to 255 bytes in all (D2)
void option_out_of_range();  ///< the ranges are D3's, in weir/sdk/options.hpp
void no_steps();
void too_many_steps();  ///< more than 1024
void duplicate_step();  ///< two of that name, whatever their case
void unknown_dependency();
void self_dependency();
void duplicate_dependency();
void cycle();
void map_dependencies();  ///< a map goes over one step, or over the run's input

void map_over_no_array();              ///< the step it goes over returns something else
void result_does_not_fit_input();      ///< what the dependency returns, the dependent cannot take
void input_member_is_no_dependency();  ///< nothing would ever fill it; make it optional, or add the
                                       ///< dependency
void dependent_takes_no_object();  ///< a step after others takes an object with a member for each

}  // namespace weir::refused
