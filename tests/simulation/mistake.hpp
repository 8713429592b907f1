#pragma once
#include <array>
#include <string_view>
#include <utility>

namespace weir::simulation {

// Mistakes that are planted to see them found: rules the simulated store breaks on purpose.
enum class Mistake {
  none,
  no_fence,            // a worker that was swept may go on writing
  repeats_anew,        // a request made again is taken for a new one
  sweep_forgets_runs,  // what a dead worker owned stays its own
  sweep_charges_none,  // what a dead worker had in flight is not journaled
  sleeps_over_news,    // a run given back sleeps although it was told something
  journals_late,       // an exchange is answered before its rows are committed
  retry_keeps_charges  // a run tried anew is opened without a word on what failed
};

inline constexpr std::array<std::pair<Mistake, std::string_view>, 7> mistakes = {{
    {Mistake::no_fence, "no_fence"},
    {Mistake::repeats_anew, "repeats_anew"},
    {Mistake::sweep_forgets_runs, "sweep_forgets_runs"},
    {Mistake::sweep_charges_none, "sweep_charges_none"},
    {Mistake::sleeps_over_news, "sleeps_over_news"},
    {Mistake::journals_late, "journals_late"},
    {Mistake::retry_keeps_charges, "retry_keeps_charges"},
}};

}  // namespace weir::simulation
