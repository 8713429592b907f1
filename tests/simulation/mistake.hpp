#pragma once
#include <array>
#include <string_view>
#include <utility>

namespace weir::simulation {

// Mistakes that are planted to check that they are found: rules that the simulated store, or the
// simulated slots, break on purpose.
enum class Mistake {
  none,
  no_fence,                     // a worker that was swept may continue to write
  repeats_as_new,               // a repeated request is treated as a new one
  sweep_forgets_runs,           // a dead worker keeps its runs
  sweep_charges_none,           // a dead worker's attempts in flight are not journaled
  sleeps_despite_notification,  // a released run sleeps although it has a notification
  journals_late,                // an exchange is answered before its rows are committed
  retry_keeps_charges,          // a retried run is opened without a row for what failed
  shares_taken_twice,           // a share is given to a second worker
  share_results_told_once,      // a result is not told again, acknowledged or not
  sweep_forgets_shares,         // a dead worker keeps its shares
  resolve_guesses,              // an attempt is resolved while its handler's transaction is open
  sweep_ignores_settlements,    // a run is swept while a handler settles an attempt of it
  places_uncounted,             // as many runs are claimed as if none were held
  rates_uncharged,              // runs are claimed and not counted against rates
  ticks_unrecorded,             // the next tick of a schedule is not always recorded
  skips_no_tick,                // ticks that were missed are started, whatever their schedule says
  prunes_parents_alone,         // child runs stay when their parent is deleted
  prunes_open_children,         // runs are deleted though a child run is open
  outage_unnoticed,             // leases lapse while the database is away
  gap_unnoticed,                // a call is taken though the ones before it were lost
  resume_keeps_all,             // a worker that resumes is left runs that are not its own
  failover_unnoticed,           // a standby takes calls of workers that know more than it
  failover_charged,             // what a worker had in flight before a failover counts as lost
  begun_unstated,               // what a claimed run begins with is not stated
  late_completion_counts,       // a call is completed though its attempt is over
  pending_has_slot,             // a pending call keeps its slot
  pending_unstated              // what is pending is not stated as in flight
};

inline constexpr std::array<std::pair<Mistake, std::string_view>, 27> mistakes = {{
    {Mistake::no_fence, "no_fence"},
    {Mistake::repeats_as_new, "repeats_as_new"},
    {Mistake::sweep_forgets_runs, "sweep_forgets_runs"},
    {Mistake::sweep_charges_none, "sweep_charges_none"},
    {Mistake::sleeps_despite_notification, "sleeps_despite_notification"},
    {Mistake::journals_late, "journals_late"},
    {Mistake::retry_keeps_charges, "retry_keeps_charges"},
    {Mistake::shares_taken_twice, "shares_taken_twice"},
    {Mistake::share_results_told_once, "share_results_told_once"},
    {Mistake::sweep_forgets_shares, "sweep_forgets_shares"},
    {Mistake::resolve_guesses, "resolve_guesses"},
    {Mistake::sweep_ignores_settlements, "sweep_ignores_settlements"},
    {Mistake::places_uncounted, "places_uncounted"},
    {Mistake::rates_uncharged, "rates_uncharged"},
    {Mistake::ticks_unrecorded, "ticks_unrecorded"},
    {Mistake::skips_no_tick, "skips_no_tick"},
    {Mistake::prunes_parents_alone, "prunes_parents_alone"},
    {Mistake::prunes_open_children, "prunes_open_children"},
    {Mistake::outage_unnoticed, "outage_unnoticed"},
    {Mistake::gap_unnoticed, "gap_unnoticed"},
    {Mistake::resume_keeps_all, "resume_keeps_all"},
    {Mistake::failover_unnoticed, "failover_unnoticed"},
    {Mistake::failover_charged, "failover_charged"},
    {Mistake::begun_unstated, "begun_unstated"},
    {Mistake::late_completion_counts, "late_completion_counts"},
    {Mistake::pending_has_slot, "pending_has_slot"},
    {Mistake::pending_unstated, "pending_unstated"},
}};

}  // namespace weir::simulation
