#include "worker/large_writes.hpp"

#include <variant>

namespace weir {

std::vector<LargeWritten> LargeWrites::take_written() {
  if (empty()) return {};
  std::vector<LargeWritten> written = store_.take_written();
  for (const LargeWritten& each : written) {
    if (const auto* const settled = std::get_if<SettledAttempt>(&each.write))
      std::erase_if(results_, [&](const InFlightTask& result) {
        return result.run == settled->run && result.task == settled->row.task &&
               result.attempt == settled->row.attempt;
      });
    else
      std::erase(ending_, std::get<EndedRun>(each.write).run);
  }
  return written;
}

void LargeWrites::forget() {
  if (!empty()) store_.forget_large();
  results_.clear();
  ending_.clear();
}

}  // namespace weir
