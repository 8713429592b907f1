#include "run/skip_reason.hpp"

namespace weir {

std::string_view name(SkipReason reason) noexcept {
  switch (reason) {
    case SkipReason::condition_unmet:
      return "condition_unmet";
    case SkipReason::handler_failed:
      return "handler_failed";
    case SkipReason::dependency_skipped:
      return "dependency_skipped";
  }
  return "unknown";
}

std::optional<SkipReason> skip_reason(std::string_view given) noexcept {
  for (const SkipReason reason :
       {SkipReason::condition_unmet, SkipReason::handler_failed, SkipReason::dependency_skipped})
    if (name(reason) == given) return reason;
  return std::nullopt;
}

}  // namespace weir
