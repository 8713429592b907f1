#pragma once
#include <array>
#include <cstddef>
#include <string_view>

#include "run/journal_row.hpp"

namespace weir {

/// What happens to a task when a row with an outcome is folded.
enum class AfterRow {
  complete,  ///< it has its output
  retry,     ///< ready again after a delay, or failed when no attempts are left
  fail,      ///< when_exhausted decides what that means for the step (F5)
  requeue,   ///< ready again at once
  skip,      ///< its step ended as skipped
};

/// What an outcome means. RunState follows this table, and the one in docs/states.md is made from
/// it.
struct OutcomeRule {
  Outcome outcome;
  bool charged;        ///< counts against max_attempts (F1)
  bool lost;           ///< counts as one of the losses that are tolerated (F1)
  bool resets_counts;  ///< what was counted before no longer counts (C3)
  AfterRow after;
  std::string_view when;  ///< as docs/states.md explains it
};

inline constexpr std::array<OutcomeRule, 8> outcome_rules = {{
    {Outcome::completed, false, false, false, AfterRow::complete,
     "the handler returned; a wait or a child run ended"},
    {Outcome::failed, true, false, false, AfterRow::retry,
     "the handler threw, or its code crashed the worker"},
    {Outcome::failed_for_good, true, false, false, AfterRow::fail,
     "the handler said so, its output cannot be used, or its child run failed"},
    {Outcome::timed_out, true, false, false, AfterRow::retry, "it took longer than its timeout"},
    {Outcome::lost, false, true, false, AfterRow::retry, "its worker vanished"},
    {Outcome::cancelled, false, false, false, AfterRow::requeue,
     "the run ended while it ran; only a retry of the run continues it"},
    {Outcome::skipped, false, false, false, AfterRow::skip,
     "of a step: its conditions, its exhausted attempts, or a skip before it"},
    {Outcome::retried, false, false, true, AfterRow::requeue, "the run was retried by command"},
}};

// By the outcomes' numbers, which begin at 1.
static_assert([] {
  for (std::size_t i = 0; i < outcome_rules.size(); ++i)
    if (static_cast<std::size_t>(outcome_rules[i].outcome) != i + 1) return false;
  return true;
}());

constexpr const OutcomeRule& rule_of(Outcome outcome) noexcept {
  return outcome_rules[static_cast<std::size_t>(outcome) - 1];  // the numbers begin at 1
}

}  // namespace weir
