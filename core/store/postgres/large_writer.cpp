#include "store/postgres/large_writer.hpp"

#include <algorithm>
#include <optional>

#include "base/iso8601.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"

namespace weir::postgres {
namespace {

struct Answer {
  bool busy = false;
  std::optional<std::string> refusal{};
};

constexpr auto answer_columns =
    columns_of<Answer>(column("busy", &Answer::busy), column("refusal", &Answer::refusal));

constexpr const char* result_call = literal<[] {
  return "select " + answer_columns.list() +
         " from weir.record_large_result($1::bigint, $2::bigint, $3::smallint, $4::int, "
         "$5::smallint, $6, $7::timestamptz, $8::timestamptz, $9::int, $10::bigint)";
}>;

constexpr const char* end_call = literal<[] {
  return "select " + answer_columns.list() +
         " from weir.record_large_end($1::bigint, $2::bigint, $3)";
}>;

Result<pqxx::result> call(ReconnectingSession& session, WorkerId worker,
                          const SettledAttempt& settled) {
  const JournalRow& row = settled.row;
  return session.query(result_call, {std::to_string(worker), std::to_string(settled.run),
                                     std::to_string(row.task.step), std::to_string(row.task.index),
                                     std::to_string(row.attempt), parameter(row.output),
                                     iso8601(row.started_at), iso8601(row.ended_at),
                                     parameter(settled.plugin), std::to_string(settled.share)});
}

Result<pqxx::result> call(ReconnectingSession& session, WorkerId worker, const EndedRun& ended) {
  return session.query(end_call, {std::to_string(worker), std::to_string(ended.run),
                                  std::string(ended.end.output.text())});
}

}  // namespace

void LargeWriter::write(WorkerId worker, LargeWrite write) {
  const std::lock_guard lock(mutex_);
  queue_.push_back({.worker = worker, .write = std::move(write)});
  changed_.notify_one();
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

bool LargeWriter::withdraw(RunKey run, TaskId task, int attempt, ShareId share) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find_if(queue_, [&](const Queued& each) {
    return !each.in_doubt && is_result(each.write, run, task, attempt, share);
  });
  if (found == queue_.end()) return false;
  queue_.erase(found);
  return true;
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

// What cannot be written at the moment is due again later; what waits behind it goes on.
void LargeWriter::run(const std::stop_token& stop) {
  std::optional<ReconnectingSession> session;
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto next = std::ranges::min_element(queue_, {}, &Queued::due);
    if (next == queue_.end()) {
      changed_.wait(lock, stop, [this] { return !queue_.empty(); });
      continue;
    }
    if (next->due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, stop, next->due, [] { return false; });
      continue;
    }
    std::list<Queued> taken;
    taken.splice(taken.begin(), queue_, next);
    Queued& queued = taken.front();
    const std::uint64_t forgotten = forgotten_;
    lock.unlock();
    if (!session)
      if (auto wakeup = WakeupEvent::make())
        session.emplace(url_, *std::move(wakeup), ReconnectingSession::Channels(), settings_,
                        limits_);
    Result<void> result;
    const bool over = session && attempt(*session, queued, result);
    lock.lock();
    if (forgotten != forgotten_) continue;
    if (over) {
      written_.push_back({std::move(queued.write), std::move(result)});
      notify_();
    } else {
      queued.due = std::chrono::steady_clock::now() + queued.pause;
      queued.pause = std::min(2 * queued.pause, pause_max);
      queue_.splice(queue_.end(), taken);
    }
  }
}

// Returns whether it is over.
bool LargeWriter::attempt(ReconnectingSession& session, Queued& queued, Result<void>& result) {
  const auto rows = std::visit(
      [&](const auto& write) { return call(session, queued.worker, write); }, queued.write);
  if (!rows) {
    result = std::unexpected(rows.error());
    if (rows.error().code != ErrorCode::unavailable && rows.error().code != ErrorCode::in_doubt)
      return true;
    queued.in_doubt = true;
    tell(rows.error());
    return false;
  }
  told_ = false;
  Answer answer = answer_columns.read_row((*rows)[0]);
  if (answer.refusal)
    result = std::unexpected(Error{.code = ErrorCode::invalid_input,
                                   .kind = "refused_value",
                                   .message = *std::move(answer.refusal)});
  return !answer.busy;
}

void LargeWriter::tell(const Error& error) {
  if (!std::exchange(told_, true) && log_)
    log_->warn("cannot write a large value, retrying: {}", to_string(error));
}

}  // namespace weir::postgres
