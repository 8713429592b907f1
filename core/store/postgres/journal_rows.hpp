#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include <pqxx/pqxx>

#include "run/journal_row.hpp"
#include "store/postgres/fields.hpp"

/// The columns that read_journal_row reads, in its order.
#define WEIR_JOURNAL_COLUMNS                                        \
  "step, task_index, attempt, outcome, output, error_code, error, " \
  "retry_after_ms, " WEIR_MICROSECONDS("started_at") ", " WEIR_MICROSECONDS("ended_at")

namespace weir::postgres {

/// A row of weir.journal, its columns beginning with number `first`.
inline JournalRow read_journal_row(const pqxx::row& row, int first = 0) {
  JournalRow found{.task = {row[first].as<std::size_t>(), row[first + 1].as<std::size_t>()},
                   .attempt = row[first + 2].as<int>(),
                   .outcome = static_cast<Outcome>(row[first + 3].as<std::int16_t>()),
                   .started_at = time_of(row[first + 8]),
                   .ended_at = time_of(row[first + 9])};
  if (!row[first + 4].is_null()) found.output = Json::trusted(row[first + 4].as<std::string>());
  if (!row[first + 5].is_null()) found.error_code = row[first + 5].as<std::string>();
  if (!row[first + 6].is_null()) found.error = row[first + 6].as<std::string>();
  if (!row[first + 7].is_null())
    found.retry_after = std::chrono::milliseconds(row[first + 7].as<std::int64_t>());
  return found;
}

}  // namespace weir::postgres
