#include "store/postgres/large_writer.hpp"

#include <chrono>
#include <optional>

#include "base/iso8601.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

constexpr std::chrono::milliseconds busy_pause{100};
constexpr std::chrono::milliseconds away_pause{500};

struct Answer {
  bool busy = false;
  std::optional<std::string> refusal{};
};

constexpr auto answer_columns =
    columns_of<Answer>(column("busy", &Answer::busy), column("refusal", &Answer::refusal));

constexpr const char* result_call = literal<[] {
  return "select " + answer_columns.list() +
         " from weir.record_large_result($1::bigint, $2::bigint, $3::smallint, $4::int, "
         "$5::smallint, $6, $7::timestamptz, $8::timestamptz, $9::int)";
}>;

constexpr const char* end_call = literal<[] {
  return "select " + answer_columns.list() +
         " from weir.record_large_end($1::bigint, $2::bigint, $3)";
}>;

Result<pqxx::result> call(ReconnectingSession& session, WorkerId worker,
                          const SettledAttempt& settled) {
  const JournalRow& row = settled.row;
  return session.query(
      result_call,
      {std::to_string(worker), std::to_string(settled.run), std::to_string(row.task.step),
       std::to_string(row.task.index), std::to_string(row.attempt), parameter(row.output),
       iso8601(row.started_at), iso8601(row.ended_at), parameter(settled.plugin)});
}

Result<pqxx::result> call(ReconnectingSession& session, WorkerId worker, const EndedRun& ended) {
  return session.query(end_call, {std::to_string(worker), std::to_string(ended.run),
                                  std::string(ended.end.output.text())});
}

}  // namespace

void LargeWriter::write(WorkerId worker, LargeWrite write) {
  const std::lock_guard lock(mutex_);
  queue_.push_back({worker, std::move(write)});
  changed_.notify_one();
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

std::vector<LargeWritten> LargeWriter::take_written() {
  const std::lock_guard lock(mutex_);
  return std::exchange(written_, {});
}

void LargeWriter::forget() {
  const std::lock_guard lock(mutex_);
  queue_.clear();
  written_.clear();
  ++forgotten_;
}

// One that is locked goes to the end; while the database is away everything waits.
void LargeWriter::run(const std::stop_token& stop) {
  std::optional<ReconnectingSession> session;
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !queue_.empty(); }) && !stop.stop_requested()) {
    Queued queued = std::move(queue_.front());
    queue_.pop_front();
    const std::uint64_t forgotten = forgotten_;
    lock.unlock();
    if (!session)
      if (auto wakeup = WakeupEvent::make())
        session.emplace(url_, *std::move(wakeup), ReconnectingSession::Channels(), settings_);
    Result<void> result;
    const bool over = session && attempt(*session, queued, result);
    const bool away = !session || !session->is_open();
    lock.lock();
    if (forgotten != forgotten_) continue;
    if (over) {
      written_.push_back({std::move(queued.write), std::move(result)});
      notify_();
    } else {
      queue_.push_back(std::move(queued));
      changed_.wait_for(lock, stop, away ? away_pause : busy_pause, [] { return false; });
    }
  }
}

// Returns whether it is over.
bool LargeWriter::attempt(ReconnectingSession& session, const Queued& queued,
                          Result<void>& result) {
  const auto rows = std::visit(
      [&](const auto& write) { return call(session, queued.worker, write); }, queued.write);
  if (!rows) {
    result = std::unexpected(rows.error());
    return rows.error().code != ErrorCode::unavailable && rows.error().code != ErrorCode::in_doubt;
  }
  Answer answer = answer_columns.read_row((*rows)[0]);
  if (answer.refusal)
    result = std::unexpected(Error{.code = ErrorCode::invalid_input,
                                   .kind = "refused_value",
                                   .message = *std::move(answer.refusal)});
  return !answer.busy;
}

}  // namespace weir::postgres
