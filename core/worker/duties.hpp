#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"

namespace weir {

/// What a loop does again and again.
struct Duty {
  std::string_view name;
  /// Does what there is to do. Called in every round. An error ends the round and the loop.
  std::function<Result<void>(Steady now)> turn;
  /// When it will have something to do again though nothing wakes the loop until then; nullopt or
  /// Steady::max(): never.
  std::function<std::optional<Steady>(Steady now)> due_at;
  /// What it may call of the database.
  enum class Calls { nothing, exchange, something_else };
  Calls calls = Calls::nothing;
};

/// The duties of a loop, in the order in which they take turns.
///
/// Invariant: the loop never sleeps beyond the moment at which its first duty is due.  [one thread]
class Duties {
 public:
  /// Of which duties: all, or those that do not call the database.
  enum class Which { all, without_database };

  explicit Duties(std::vector<Duty> duties) : duties_(std::move(duties)) {}

  /// One turn of each. Errors: that of the first that fails; the others have no turn then.
  Result<void> take_turns(Steady now, Which which = Which::all) const;

  /// How long the loop may sleep from `now` on: until the first is due, at least a millisecond and
  /// at most `longest`.
  std::chrono::milliseconds nap(Steady now, std::chrono::milliseconds longest,
                                Which which = Which::all) const;
  /// Whether one is due that calls the database for something else than an exchange.
  bool is_other_call_due(Steady now) const;

 private:
  std::vector<Duty> duties_;
};

}  // namespace weir
