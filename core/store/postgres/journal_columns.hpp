#pragma once
#include "run/journal_row.hpp"
#include "store/postgres/columns.hpp"

namespace weir::postgres {

/// A row of weir.journal.
constexpr auto journal_columns = columns_of<JournalRow>(
    column("step", &JournalRow::task, &TaskId::step),
    column("task_index", &JournalRow::task, &TaskId::index),
    column("attempt", &JournalRow::attempt), column("outcome", &JournalRow::outcome),
    column("output", &JournalRow::output), column("error_code", &JournalRow::error_code),
    column("error", &JournalRow::error), column("retry_after_ms", &JournalRow::retry_after),
    column("started_at", &JournalRow::started_at), column("ended_at", &JournalRow::ended_at));

}  // namespace weir::postgres
