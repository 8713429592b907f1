#include "run/journal_row.hpp"

namespace weir {

std::string_view name(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::completed:
      return "completed";
    case Outcome::failed:
      return "failed";
    case Outcome::failed_for_good:
      return "failed_for_good";
    case Outcome::timed_out:
      return "timed_out";
    case Outcome::lost:
      return "lost";
    case Outcome::cancelled:
      return "cancelled";
    case Outcome::skipped:
      return "skipped";
    case Outcome::retried:
      return "retried";
  }
  return "unknown";
}

}  // namespace weir
