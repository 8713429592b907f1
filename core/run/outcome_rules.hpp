#pragma once
#include <array>
#include <string_view>

#include "run/journal_row.hpp"

namespace weir {

/// What becomes of a task once a row with an outcome is folded.
enum class AfterRow {
  complete,  ///< it has its output
  retry,     ///< ready again after its wait, or given up when nothing is left of its attempts
  give_up,   ///< when_exhausted says what that means to the step (F5)
  again,     ///< ready again at once
  skip,      ///< its step ended as skipped
};

/// What an outcome means. RunState follows this table, and the one in docs/states.md is made from
/// it.
struct OutcomeRule {
  Outcome outcome;
  bool charged;    ///< counts against max_attempts (F1)
  bool lost;       ///< counts against the losses that are borne (F1)
  bool forgiving;  ///< what was counted before counts no more (C3)
  AfterRow after;
  std::string_view when;  ///< for people
};

inline constexpr std::array<OutcomeRule, 8> outcome_rules = {{
    {Outcome::completed, false, false, false, AfterRow::complete,
     "the handler returned; a wait or a child run ended"},
    {Outcome::failed, true, false, false, AfterRow::retry,
     "the handler threw, or its code crashed the worker"},
    {Outcome::failed_for_good, true, false, false, AfterRow::give_up,
     "the handler said so, its output cannot be used, or its child run failed"},
    {Outcome::timed_out, true, false, false, AfterRow::retry, "it took longer than its timeout"},
    {Outcome::lost, false, true, false, AfterRow::retry, "its worker vanished"},
    {Outcome::cancelled, false, false, false, AfterRow::again,
     "the run ended while it ran; only a retry of the run goes on"},
    {Outcome::skipped, false, false, false, AfterRow::skip,
     "of a step: its conditions, its exhausted attempts, or a skip before it"},
    {Outcome::retried, false, false, true, AfterRow::again, "the run was retried by command"},
}};

constexpr const OutcomeRule& rule_of(Outcome outcome) noexcept {
  return outcome_rules[static_cast<std::size_t>(outcome) - 1];  // the numbers begin at 1
}

}  // namespace weir
