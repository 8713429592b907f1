#include "store/postgres/postgres_worker_store.hpp"

#include <utility>

#include "base/iso8601.hpp"
#include "store/postgres/array_arguments.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/background_exchange.hpp"
#include "store/postgres/columns.hpp"
#include "store/postgres/exchange.hpp"
#include "store/postgres/journal_columns.hpp"
#include "store/postgres/large_writer.hpp"
#include "store/postgres/literal.hpp"
#include "store/postgres/parameter.hpp"
#include "store/postgres/postgres_flow_store.hpp"
#include "store/postgres/postgres_plugin_store.hpp"
#include "store/postgres/postgres_share_store.hpp"
#include "store/postgres/reconnecting_session.hpp"
#include "store/postgres/sql_error.hpp"

namespace weir::postgres {
namespace {

// When the worker crashes, its write ends, and with that its locks: as soon as the server can notice
// it, where it can.
constexpr const char* large_settings =
    "set lock_timeout = '2s'; do $$ begin set client_connection_check_interval = '1s'; "
    "exception when others then null; end $$";

constexpr const char* join_call =
    "select weir.join_as_worker($1, $2::int, $3::int, $4::bigint, $5::bigint[], $6::int)";

constexpr auto child_arguments =
    array_arguments_of<ChildStart>(array_argument("runs", "bigint", &ChildStart::parent),
                                   array_argument("steps", "smallint", &ChildStart::step),
                                   array_argument("attempts", "smallint", &ChildStart::attempt),
                                   array_argument("flows", "text", &ChildStart::flow),
                                   array_argument("inputs", "text", &ChildStart::input));

struct RefusedChild {
  std::size_t place = 0;  // from 1 on
  std::string code{}, message{}, hint{};
};

constexpr auto refused_child_columns = columns_of<RefusedChild>(
    column("place", &RefusedChild::place), column("code", &RefusedChild::code),
    column("message", &RefusedChild::message), column("hint", &RefusedChild::hint));

constexpr const char* start_children_call = literal<[] {
  int number = 3;
  return "select " + refused_child_columns.list() +
         " from weir.start_children(worker => $1::bigint, lease_ms => $2::bigint" +
         child_arguments.list(number) + ")";
}>;

struct ClosedWait {
  RunKey run = 0;
  std::size_t step = 0;
  std::optional<Json> payload{};
};

constexpr auto closed_wait_columns =
    columns_of<ClosedWait>(column("run_id", &ClosedWait::run), column("step", &ClosedWait::step),
                           column("payload", &ClosedWait::payload));

constexpr const char* close_waits_call = literal<[] {
  return "select " + closed_wait_columns.list() +
         " from weir.close_waits($1::bigint, $2::bigint[], $3::smallint[])";
}>;

constexpr const char* resolve_call = literal<[] {
  return "select " + journal_columns.list() +
         " from weir.resolve_settlement($1::bigint, $2::bigint, $3::smallint, $4::int, "
         "$5::smallint, $6::smallint, $7::jsonb, $8, $9, $10::bigint, $11::timestamptz, "
         "$12::timestamptz, $13::int)";
}>;

constexpr const char* journal_call = literal<[] {
  // One lateral query for each run, so that only the partition of that run is read.
  return "select " + journal_columns.list() +
         ", r.id from unnest($1::bigint[]) as r(id) cross join lateral ("
         "select * from weir.journal j where j.run_id = r.id order by step, task_index, attempt "
         "offset 0) as j";
}>;

constexpr const char* sweep_call = "select weir.sweep()";

constexpr const char* resume_worker_call =
    "select unnest(weir.resume_as_worker($1::bigint, $2::bigint, $3::bigint, $4::bigint))";

constexpr const char* leave_call = "select weir.leave_as_worker($1::bigint)";

class PostgresWorkerStore final : public WorkerStore {
 public:
  PostgresWorkerStore(std::string url, const WorkerSession& session, WakeupEvent wakeup)
      : session_(url, std::move(wakeup),
                 session.listens ? channels() : ReconnectingSession::Channels(), lock_limit,
                 session.limits),
        large_writer_(std::move(url), large_settings, session.limits, session.log,
                      [this] { session_.wake(); }) {}

  Result<void> connect() { return session_.connect(); }

  Result<WorkerId> join(const WorkerIdentity& identity, std::chrono::milliseconds lease) override {
    auto joined = value_of<WorkerId>(session_.query(
        join_call,
        {identity.host, std::to_string(identity.pid), std::to_string(identity.slots),
         std::to_string(lease.count()),
         identity.trial_of.empty() ? std::nullopt : std::optional(array_of(identity.trial_of)),
         std::to_string(identity.async_calls)}));
    if (joined) worker_ = *joined;
    return joined;
  }

  Result<ExchangeReply> exchange(const ExchangeRequest& request) override {
    worker_ = request.worker;
    return postgres::exchange(session_, request);
  }

  void send_exchange(const ExchangeRequest& request) override {
    worker_ = request.worker;
    background_.send(request);
  }

  std::optional<Result<ExchangeReply>> take_reply() override { return background_.take(); }

  Result<std::vector<RunKey>> resume(WorkerId worker, std::int64_t sequence, std::int64_t settled,
                                     std::chrono::milliseconds lease) override {
    const auto rows = session_.query(resume_worker_call,
                                     {std::to_string(worker), std::to_string(sequence),
                                      std::to_string(settled), std::to_string(lease.count())});
    if (!rows) return std::unexpected(rows.error());
    std::vector<RunKey> held;
    for (const auto& row : *rows) held.push_back(row[0].as<RunKey>());
    return held;
  }

  Result<std::vector<Result<void>>> start_children(
      WorkerId worker, std::chrono::milliseconds lease,
      const std::vector<ChildStart>& children) override {
    BinaryParams params;
    child_arguments.append(params, children);
    const auto rows = session_.query(
        start_children_call, {std::to_string(worker), std::to_string(lease.count())}, params);
    if (!rows) return std::unexpected(rows.error());
    std::vector<Result<void>> started(children.size());
    for (const RefusedChild& refused : refused_child_columns.read_all(*rows))
      started.at(refused.place - 1) =
          std::unexpected(sql_error(refused.code, refused.message, refused.hint));
    return started;
  }

  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) override {
    ArrayLiteral runs, steps;
    for (const auto& [run, step] : waits) {
      runs.add(run);
      steps.add(step);
    }
    const auto rows =
        session_.query(close_waits_call, {std::to_string(worker), runs.text(), steps.text()});
    if (!rows) return std::unexpected(rows.error());
    std::map<std::pair<RunKey, std::size_t>, std::optional<Json>> closed;
    for (ClosedWait& wait : closed_wait_columns.read_all(*rows))
      closed.emplace(std::pair(wait.run, wait.step), std::move(wait.payload));
    return closed;
  }

  Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                            const SettledAttempt& otherwise) override {
    const JournalRow& row = otherwise.row;
    const auto text = [](const std::string& given) {
      return given.empty() ? std::nullopt : std::optional(given);
    };
    const auto rows = session_.query(
        resolve_call,
        {std::to_string(worker), std::to_string(otherwise.run), std::to_string(row.task.step),
         std::to_string(row.task.index), std::to_string(row.attempt),
         std::to_string(static_cast<int>(row.outcome)), parameter(row.output), text(row.error_code),
         text(row.error), parameter(row.retry_after), iso8601(row.started_at),
         iso8601(row.ended_at), parameter(otherwise.plugin)});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    return journal_columns.read_row((*rows)[0]);
  }

  void write_large(WorkerId worker, LargeWrite write) override {
    large_writer_.write(worker, std::move(write));
  }
  bool withdraw_large(RunKey run, TaskId task, int attempt, ShareId share) override {
    return large_writer_.withdraw(run, task, attempt, share);
  }
  std::vector<LargeWritten> take_written() override { return large_writer_.take_written(); }
  void forget_large() override { large_writer_.forget(); }

  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey> runs) override {
    const auto rows = session_.query(journal_call, {array_of(runs)});
    if (!rows) return std::unexpected(rows.error());
    std::map<RunKey, std::vector<JournalRow>> found;
    for (const auto& row : *rows)
      found[row["id"].as<RunKey>()].push_back(journal_columns.read_row(row));
    return found;
  }

  Result<int> sweep() override { return value_of<int>(session_.query(sweep_call)); }

  Result<void> leave(WorkerId worker) override {
    return done(session_.query(leave_call, {std::to_string(worker)}));
  }

  // Notifications for other workers do not count. While an exchange is under way, its thread has the
  // session; what is notified then is read by the wait after it.
  bool wait(std::chrono::milliseconds limit) override {
    if (background_.is_under_way()) {
      session_.wait_for_wake(limit);
      return false;
    }
    return session_.wait(limit, [this] { return std::exchange(ready_, false) || notified_; });
  }

  bool take_notified() override { return std::exchange(notified_, false); }

  FlowStore& flows() noexcept override { return flows_; }
  PluginStore& plugins() noexcept override { return plugins_; }
  ShareStore* shares() noexcept override { return &shares_; }

  void wake() noexcept override { session_.wake(); }

 private:
  ReconnectingSession::Channels channels() {
    return {{"weir_ready", [this](std::string_view) { ready_ = true; }},
            {"weir_told", [this](std::string_view worker) {
               if (worker == std::to_string(worker_)) notified_ = true;
             }}};
  }

  WorkerId worker_ = 0;  ///< whose notifications set notified_
  bool ready_ = false, notified_ = false;
  ReconnectingSession session_;
  PostgresFlowStore flows_{session_};
  PostgresPluginStore plugins_{session_};
  PostgresShareStore shares_{session_};
  LargeWriter large_writer_;  // ends before the session that it wakes
  BackgroundExchange background_{
      [this](const ExchangeRequest& request) { return postgres::exchange(session_, request); },
      [this] { session_.wake(); }};  // the same
};

}  // namespace

Result<std::unique_ptr<WorkerStore>> open_worker_store(const std::string& url,
                                                       const WorkerSession& session) {
  auto wakeup = WakeupEvent::make();
  if (!wakeup) return std::unexpected(std::move(wakeup.error()));
  auto store = std::make_unique<PostgresWorkerStore>(url, session, *std::move(wakeup));
  if (session.connects_now)
    if (const auto connected = store->connect(); !connected)
      return std::unexpected(connected.error());
  return store;
}

}  // namespace weir::postgres
