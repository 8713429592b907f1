#include "store/postgres/postgres_worker_store.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <iterator>
#include <sstream>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.hpp"
#include "base/iso8601.hpp"
#include "store/postgres/array_literal.hpp"
#include "store/postgres/journal_rows.hpp"
#include "store/postgres/postgres_share_store.hpp"
#include "store/postgres/session.hpp"

namespace weir::postgres {
namespace {

constexpr const char* ready_channel = "weir_ready";
constexpr const char* told_channel = "weir_told";

constexpr const char* register_version_call =
    "select version_id from weir.register_version($1, $2, $3, $4::jsonb, $5::jsonb)";

constexpr const char* register_plugin_call = "select weir.register_plugin($1, $2)";

constexpr const char* join_call = "select weir.join_as_worker($1, $2::int, $3::int, $4::bigint)";

constexpr const char* exchange_call =
    "select (extract(epoch from database_time) * 1000000)::bigint, (extract(epoch from "
    "next_wake_at) * 1000000)::bigint,"
    " run_id, run_uuid, version_id, priority, input, (extract(epoch from available_at) * "
    "1000000)::bigint, claims, listened, array_to_string(paused, ' '), news, cancel_reason, "
    "told_step, told_attempt, "
    "told_status, told_value, told_error "
    "from weir.exchange($1::bigint, $2::bigint, $3::bigint,"
    " $4::bigint[], $5::smallint[], $6::int[], $7::smallint[], $8::smallint[], $9::jsonb[], "
    "$10::text[], $11::text[],"
    " $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::int[],"
    " $16::bigint[], $17::smallint[], $18::jsonb[], $19::text[], $20::smallint[], $21::text[],"
    " $22::bigint[], $23::timestamptz[],"
    " $24::bigint[], $25::int[],"
    " $26::bigint[], $27::text[],"
    " $28::bigint[], $29::smallint[], $30::int[], $31::smallint[], $32::int[], $33::int[], "
    "$34::int)";

constexpr const char* start_child_call =
    "select weir.start_child($1::bigint, $2::bigint, $3::smallint, $4::smallint, $5, $6::jsonb)";

constexpr const char* close_waits_call =
    "select run_id, step, payload from weir.close_waits($1::bigint, $2::bigint[], $3::smallint[])";

constexpr const char* settled_call =
    "select " WEIR_JOURNAL_COLUMNS
    " from weir.journal where run_id = $1::bigint and step = $2::smallint and task_index = $3::int "
    "and attempt = $4::smallint";

constexpr const char* resolve_call =
    "select " WEIR_JOURNAL_COLUMNS
    " from weir.resolve_settlement($1::bigint, $2::bigint, $3::smallint, $4::int, $5::smallint, "
    "$6::smallint, $7::jsonb, $8, $9, $10::bigint, $11::timestamptz, $12::timestamptz, $13::int)";

constexpr const char* set_limits_call =
    "select weir.set_limits($1, $2::int, $3, $4, $5::int, $6, true)";

constexpr const char* serve_versions_call =
    "select weir.serve_versions($1::bigint, $2::int[], $3::int[])";

constexpr const char* adopt_older_call =
    "select version, moved, held, refusal from weir.adopt_older($1::int)";

constexpr const char* version_uses_call =  // what was never registered has no runs
    "select v.version, coalesce(v.safe_to_remove, true) "
    "from unnest($1::text[], $2::text[]) with ordinality as k(slug, fingerprint, place) "
    "left join weir.versions v on v.flow = k.slug and v.fingerprint = k.fingerprint order by "
    "k.place";

constexpr const char* report_plugins_call =
    "select weir.report_plugins($1, $2::int, $3::timestamptz, $4::jsonb)";

constexpr const char* journal_call =
    // Run by run, so that of the journal's partitions only that of each run is looked into.
    "select r.id, " WEIR_JOURNAL_COLUMNS
    " from unnest($1::bigint[]) as r(id) cross join lateral ("
    "select * from weir.journal j where j.run_id = r.id order by step, task_index, attempt offset "
    "0)"
    " as j";

constexpr const char* sweep_call = "select weir.sweep()";

constexpr const char* leave_call = "select weir.leave_as_worker($1::bigint)";

void add_optional(ArrayLiteral& array, const std::string& text) {
  if (text.empty())
    array.add_null();
  else
    array.add_text(text);
}

void add_optional(ArrayLiteral& array, std::optional<PluginId> plugin) {
  if (plugin)
    array.add(*plugin);
  else
    array.add_null();
}

Params exchange_params(const ExchangeRequest& request) {
  std::array<ArrayLiteral, 12> j;
  for (const SettledAttempt& settled : request.settled) {
    const JournalRow& row = settled.row;
    j[0].add(settled.run);
    j[1].add(row.task.step);
    j[2].add(row.task.index);
    j[3].add(row.attempt);
    j[4].add(static_cast<std::int16_t>(row.outcome));
    if (row.output)
      j[5].add_text(row.output->text());
    else
      j[5].add_null();
    add_optional(j[6], row.error_code);
    add_optional(j[7], row.error);
    if (row.retry_after)
      j[8].add(row.retry_after->count());
    else
      j[8].add_null();
    j[9].add(row.started_at);
    j[10].add(row.ended_at);
    add_optional(j[11], settled.plugin);
  }
  std::array<ArrayLiteral, 6> e;
  for (const auto& [run, end] : request.ended) {
    e[0].add(run);
    e[1].add(static_cast<std::int16_t>(end.status));
    if (end.status == RunStatus::completed)
      e[2].add_text(end.output.text());
    else
      e[2].add_null();
    add_optional(e[3], end.error);
    if (end.failed_step)
      e[4].add(*end.failed_step);
    else
      e[4].add_null();
    add_optional(e[5], end.note);
  }
  std::array<ArrayLiteral, 2> r;
  for (const auto& [run, wake_at] : request.released) {
    r[0].add(run);
    if (wake_at)
      r[1].add(*wake_at);
    else
      r[1].add_null();
  }
  std::array<ArrayLiteral, 2> h;
  for (const auto& [run, count] : request.heard) {
    h[0].add(run);
    h[1].add(count);
  }
  std::array<ArrayLiteral, 2> x;
  for (const StatedEvent& event : request.events) {
    x[0].add(event.run);
    x[1].add_text(event.name);
  }
  std::array<ArrayLiteral, 5> f;
  for (const auto& [run, task, attempt, plugin] : request.in_flight) {
    f[0].add(run);
    f[1].add(task.step);
    f[2].add(task.index);
    f[3].add(attempt);
    add_optional(f[4], plugin);
  }
  ArrayLiteral versions;
  for (const VersionId version : request.versions) versions.add(version);

  Params params = {std::to_string(request.worker), std::to_string(request.sequence),
                   std::to_string(request.lease.count())};
  const auto append = [&params](const auto& arrays) {
    for (const ArrayLiteral& array : arrays) params.emplace_back(array.text());
  };
  append(j);
  append(e);
  append(r);
  append(h);
  append(x);
  append(f);
  params.emplace_back(versions.text());
  params.emplace_back(std::to_string(request.claims_max));
  return params;
}

std::vector<VersionId> versions_in(const std::string& listed) {
  std::istringstream words(listed);
  return {std::istream_iterator<VersionId>(words), std::istream_iterator<VersionId>()};
}

// A row with news of a run: what was said of the run itself, one signal, or the end of one child.
void read_news(RunNews& news, const pqxx::row& row) {
  news.count += row[11].as<int>();
  if (!row[12].is_null()) news.cancelled = row[12].as<std::string>();
  if (row[13].is_null()) return;
  const auto step = row[13].as<std::size_t>();
  if (row[14].is_null()) {
    news.signals.emplace(step, Json::trusted(row[16].as<std::string>()));
    return;
  }
  ChildRunEnd end{.id = row[3].as<std::string>(),
                  .status = static_cast<RunStatus>(row[15].as<std::int16_t>())};
  if (!row[16].is_null()) end.output = Json::trusted(row[16].as<std::string>());
  if (!row[17].is_null()) end.error = row[17].as<std::string>();
  news.children.emplace(std::pair(step, row[14].as<int>()), std::move(end));
}

ExchangeReply read_reply(const pqxx::result& rows) {
  WEIR_ASSERT(!rows.empty());
  ExchangeReply reply;
  reply.now = time_of(rows[0][0]);
  if (!rows[0][1].is_null()) reply.next_wake_at = time_of(rows[0][1]);
  reply.missed = rows[0][8].as<std::size_t>();
  reply.listened = rows[0][9].as<bool>();
  if (!rows[0][10].is_null()) reply.paused = versions_in(rows[0][10].as<std::string>());
  for (pqxx::result::size_type i = 1; i < rows.size(); ++i) {
    const auto row = rows[i];
    if (!row[11].is_null()) {
      read_news(reply.news[row[2].as<RunKey>()], row);
      continue;
    }
    reply.claimed.push_back({.run = row[2].as<RunKey>(),
                             .id = row[3].as<std::string>(),
                             .version = row[4].as<VersionId>(),
                             .priority = row[5].as<int>(),
                             .input = Json::trusted(row[6].as<std::string>()),
                             .available_at = time_of(row[7]),
                             .has_history = row[8].as<int>() > 1,
                             .news = {}});
  }
  for (ClaimedRun& run : reply.claimed)
    if (auto told = reply.news.extract(run.run); !told.empty()) run.news = std::move(told.mapped());
  return reply;
}

// Notes what comes over one channel. Making it begins to listen there.
class Ear final : public pqxx::notification_receiver {
 public:
  Ear(pqxx::connection& connection, const char* channel,
      std::function<void(std::string_view)> heard)
      : pqxx::notification_receiver(connection, channel), heard_(std::move(heard)) {}
  void operator()(const std::string& payload, int) override { heard_(payload); }

 private:
  std::function<void(std::string_view)> heard_;
};

class PostgresWorkerStore final : public WorkerStore {
 public:
  PostgresWorkerStore(std::string url, bool listens, int wakeup)
      : url_(std::move(url)), listens_(listens), wakeup_(wakeup) {}
  ~PostgresWorkerStore() override { ::close(wakeup_); }
  PostgresWorkerStore(const PostgresWorkerStore&) = delete;
  PostgresWorkerStore& operator=(const PostgresWorkerStore&) = delete;

  /// A session, listening if it is to; the one at hand, or a new one after it broke.
  Result<void> connect() {
    if (session_ && session_->is_open()) return {};
    end_session();
    auto opened = Session::open(url_);
    if (!opened) return std::unexpected(opened.error());
    if (listens_)
      if (const auto listening = listen(**opened); !listening)
        return std::unexpected(listening.error());
    session_ = *std::move(opened);
    return {};
  }

  Result<VersionId> register_version(const FlowDefinition& definition) override {
    const auto rows = query(
        register_version_call,
        {definition.slug().string(), definition.module().string(), definition.fingerprint(),
         std::string(definition.canonical().text()),
         definition.input_schema() ? std::optional(std::string(definition.input_schema()->text()))
                                   : std::nullopt});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<VersionId>();
  }

  Result<PluginId> register_plugin(const std::string& sha256, const std::string& path) override {
    const auto rows = query(register_plugin_call, {sha256, path});
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<PluginId>();
  }

  Result<WorkerId> join(const WorkerIdentity& identity, std::chrono::milliseconds lease) override {
    const auto rows =
        query(join_call, {identity.host, std::to_string(identity.pid),
                          std::to_string(identity.slots), std::to_string(lease.count())});
    if (!rows) return std::unexpected(rows.error());
    worker_ = (*rows)[0][0].as<WorkerId>();
    return worker_;
  }

  Result<ExchangeReply> exchange(const ExchangeRequest& request) override {
    worker_ = request.worker;
    const auto rows = query(exchange_call, exchange_params(request));
    if (!rows) return std::unexpected(rows.error());
    return read_reply(*rows);
  }

  Result<void> start_child(WorkerId worker, RunKey run, std::size_t step, int attempt,
                           const std::string& flow, const Json& input) override {
    const auto rows =
        query(start_child_call, {std::to_string(worker), std::to_string(run), std::to_string(step),
                                 std::to_string(attempt), flow, std::string(input.text())});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<std::map<std::pair<RunKey, std::size_t>, std::optional<Json>>> close_waits(
      WorkerId worker, const std::vector<std::pair<RunKey, std::size_t>>& waits) override {
    ArrayLiteral runs, steps;
    for (const auto& [run, step] : waits) {
      runs.add(run);
      steps.add(step);
    }
    const auto rows = query(close_waits_call, {std::to_string(worker), runs.text(), steps.text()});
    if (!rows) return std::unexpected(rows.error());
    std::map<std::pair<RunKey, std::size_t>, std::optional<Json>> closed;
    for (const auto& row : *rows)
      closed.emplace(
          std::pair(row[0].as<RunKey>(), row[1].as<std::size_t>()),
          row[2].is_null() ? std::nullopt : std::optional(Json::trusted(row[2].as<std::string>())));
    return closed;
  }

  Result<std::optional<JournalRow>> settled(RunKey run, TaskId task, int attempt) override {
    const auto rows = query(settled_call, {std::to_string(run), std::to_string(task.step),
                                           std::to_string(task.index), std::to_string(attempt)});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    return read_journal_row((*rows)[0]);
  }

  Result<std::optional<JournalRow>> resolve(WorkerId worker,
                                            const SettledAttempt& otherwise) override {
    const JournalRow& row = otherwise.row;
    const auto text = [](const std::string& given) {
      return given.empty() ? std::nullopt : std::optional(given);
    };
    const auto rows = query(
        resolve_call,
        {std::to_string(worker), std::to_string(otherwise.run), std::to_string(row.task.step),
         std::to_string(row.task.index), std::to_string(row.attempt),
         std::to_string(static_cast<int>(row.outcome)),
         row.output ? std::optional(std::string(row.output->text())) : std::nullopt,
         text(row.error_code), text(row.error),
         row.retry_after ? std::optional(std::to_string(row.retry_after->count())) : std::nullopt,
         iso8601(row.started_at), iso8601(row.ended_at),
         otherwise.plugin ? std::optional(std::to_string(*otherwise.plugin)) : std::nullopt});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    return read_journal_row((*rows)[0]);
  }

  Result<void> set_limits(const std::string& flow, const FlowLimits& limits) override {
    const auto number = [](const std::optional<std::int64_t>& value) {
      return value ? std::optional(std::to_string(*value)) : std::nullopt;
    };
    const auto rows =
        query(set_limits_call, {flow, number(limits.max_running), limits.rate, limits.key,
                                number(limits.key_max_running), limits.key_rate});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<void> serve_versions(
      WorkerId worker, const std::map<VersionId, std::optional<PluginId>>& versions) override {
    ArrayLiteral ids, plugins;
    for (const auto& [version, plugin] : versions) {
      ids.add(version);
      add_optional(plugins, plugin);
    }
    const auto rows =
        query(serve_versions_call, {std::to_string(worker), ids.text(), plugins.text()});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<std::vector<AdoptedVersion>> adopt_older(VersionId version) override {
    const auto rows = query(adopt_older_call, {std::to_string(version)});
    if (!rows) return std::unexpected(rows.error());
    std::vector<AdoptedVersion> adopted;
    for (const auto& row : *rows)
      adopted.push_back(
          {.version = row[0].as<int>(),
           .moved = row[1].as<std::int64_t>(),
           .held = row[2].as<std::int64_t>(),
           .refusal = row[3].is_null() ? std::nullopt : std::optional(row[3].as<std::string>())});
    return adopted;
  }

  Result<std::vector<VersionUse>> version_uses(
      std::span<const std::pair<std::string, std::string>> versions) override {
    ArrayLiteral slugs, fingerprints;
    for (const auto& [slug, fingerprint] : versions) {
      slugs.add_text(slug);
      fingerprints.add_text(fingerprint);
    }
    const auto rows = query(version_uses_call, {slugs.text(), fingerprints.text()});
    if (!rows) return std::unexpected(rows.error());
    std::vector<VersionUse> uses;
    for (const auto& row : *rows)
      uses.push_back({.version = row[0].is_null() ? std::nullopt : std::optional(row[0].as<int>()),
                      .safe_to_remove = row[1].as<bool>()});
    WEIR_ASSERT(uses.size() == versions.size());
    return uses;
  }

  Result<void> report_plugins(const ReportingProcess& process,
                              const std::optional<Json>& plugins) override {
    const auto rows = query(report_plugins_call,
                            {process.host, std::to_string(process.pid), iso8601(process.started_at),
                             plugins ? std::optional(std::string(plugins->text())) : std::nullopt});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  Result<std::map<RunKey, std::vector<JournalRow>>> journal(std::span<const RunKey> runs) override {
    ArrayLiteral keys;
    for (const RunKey run : runs) keys.add(run);
    const auto rows = query(journal_call, {keys.text()});
    if (!rows) return std::unexpected(rows.error());
    std::map<RunKey, std::vector<JournalRow>> found;
    for (const auto& row : *rows) found[row[0].as<RunKey>()].push_back(read_journal_row(row, 1));
    return found;
  }

  Result<int> sweep() override {
    const auto rows = query(sweep_call);
    if (!rows) return std::unexpected(rows.error());
    return (*rows)[0][0].as<int>();
  }

  Result<void> leave(WorkerId worker) override {
    const auto rows = query(leave_call, {std::to_string(worker)});
    if (!rows) return std::unexpected(rows.error());
    return {};
  }

  bool wait(std::chrono::milliseconds limit) override {
    std::array<pollfd, 2> sources = {{{.fd = wakeup_, .events = POLLIN, .revents = 0},
                                      {.fd = -1, .events = POLLIN, .revents = 0}}};
    if (session_ && session_->is_open()) {
      if (notified()) {
        drain_wakeup();
        return true;
      }
      sources[1].fd = session_->connection().sock();
    }
    ::poll(sources.data(), sources.size(), static_cast<int>(limit.count()));
    const bool told = sources[1].revents != 0 && notified();
    drain_wakeup();
    return told;
  }

  bool take_told() override { return std::exchange(told_, false); }

  ShareStore* shares() noexcept override { return &shares_; }

  void wake() noexcept override {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written =
        ::write(wakeup_, &one, sizeof one);  // full: a wake is pending already
  }

 private:
  Result<pqxx::result> query(const char* sql, const Params& params = {}) {
    if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
    auto rows = session_->query(sql, params);
    if (!rows && !session_->is_open()) end_session();
    return rows;
  }

  // Its ears end before the session that they listen to.
  Result<void> listen(Session& session) {
    ready_ear_.reset();
    told_ear_.reset();
    return session.use([&](pqxx::connection& connection) {
      ready_ear_.emplace(connection, ready_channel, [this](std::string_view) { ready_ = true; });
      told_ear_.emplace(connection, told_channel, [this](std::string_view worker) {
        if (worker == std::to_string(worker_)) told_ = true;
      });
    });
  }

  void end_session() {
    ready_ear_.reset();
    told_ear_.reset();
    session_.reset();
  }

  // Notifications that came with earlier answers are in libpq's hands already: the socket tells
  // nothing of them. Those for other workers don't count.
  bool notified() {
    try {
      session_->connection().get_notifs();
      return std::exchange(ready_, false) || told_;
    } catch (const std::exception&) {
      end_session();  // broken: the next call connects again and tells
      return true;
    }
  }

  void drain_wakeup() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = ::read(wakeup_, &count, sizeof count);
  }

  std::string url_;
  bool listens_;
  int wakeup_;
  WorkerId worker_ = 0;  ///< who it is that told_ tells of
  bool ready_ = false, told_ = false;
  std::unique_ptr<Session> session_;
  std::optional<Ear> ready_ear_, told_ear_;  ///< of session_: they end first
  PostgresShareStore shares_{
      [this](const char* sql, const Params& params) { return query(sql, params); }};
};

}  // namespace

Result<std::unique_ptr<WorkerStore>> open_worker_store(const std::string& url,
                                                       WorkerSession session) {
  const int wakeup = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wakeup < 0)
    return std::unexpected(
        Error{.code = ErrorCode::unavailable,
              .kind = "out_of_descriptors",
              .message = std::string("cannot make an eventfd: ") + std::strerror(errno),
              .hint = "raise the limit of open files"});
  auto store = std::make_unique<PostgresWorkerStore>(url, session.listens, wakeup);
  if (session.connects_now)
    if (const auto connected = store->connect(); !connected)
      return std::unexpected(connected.error());
  return store;
}

}  // namespace weir::postgres
