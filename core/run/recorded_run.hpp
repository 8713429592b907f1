#pragma once
#include <string>
#include <vector>

#include "base/json.hpp"
#include "run/journal_row.hpp"

namespace weir {

/// A run as facts alone: enough to replay it (RunState).
struct RecordedRun {
  std::string flow;
  int version = 1;
  std::string module;
  Json definition;  ///< of that version, in canonical form
  Json input;
  std::vector<JournalRow> rows;  ///< by step, index and attempt: an order that RunState can fold
};

}  // namespace weir
