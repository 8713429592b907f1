#include "client/client.hpp"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "client/event_source.hpp"
#include "client/run_ends.hpp"
#include "client/run_stores.hpp"
#include "definition/input_schema.hpp"
#include "store/postgres/event_feed.hpp"
#include "store/postgres/postgres_run_store.hpp"
#include "store/postgres/schema_state.hpp"

namespace weir {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr milliseconds away_longest{10'000};

// The options for one run, as options for many.
StartOptions many(const RunOptions& options) {
  StartOptions all{.delay = options.delay,
                   .at = options.at,
                   .priority = options.priority,
                   .version = options.version,
                   .tags = options.tags};
  if (options.idempotency_key) all.idempotency_keys = {*options.idempotency_key};
  if (options.run_id) all.run_ids = {*options.run_id};
  return all;
}

std::vector<std::string> step_slugs(const Json& definition) {
  std::vector<std::string> slugs;
  for (const auto& [name, steps] : definition.members())
    if (name == "steps")
      for (const Json& step : steps.elements())
        for (const auto& [key, value] : step.members())
          if (key == "slug") slugs.push_back(value.decoded());
  return slugs;
}

// In the words of weir.check_inputs.
Result<void> check_all(const InputSchema& schema, const std::vector<Json>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    auto fits = schema.check(inputs[i]);
    if (fits) continue;
    if (inputs.size() > 1)
      fits.error().message =
          fmt::format("input {} of {}: {}", i + 1, inputs.size(), fits.error().message);
    return fits;
  }
  return {};
}

}  // namespace

struct Client::Parts {
  Parts(RunStores::Open open_store, std::size_t sessions_max, EventSource::Open open_feed)
      : stores(std::move(open_store), sessions_max),
        events(std::make_shared<EventSource>(std::move(open_feed))) {}
  explicit Parts(RunStore& store) : stores(store) {}
  ~Parts() {
    if (events) events->stop();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  /// Runs a request on any session, and once more when its connection broke: for those that change
  /// nothing, or nothing when they are repeated.
  template <class Request>
  auto repeatable(Request&& request) -> decltype(request(*std::declval<RunStore*>())) {
    auto store = stores.borrow();
    if (!store) return std::unexpected(store.error());
    auto answer = request(**store);
    if (!answer && answer.error().code == ErrorCode::unavailable) return request(**store);
    return answer;
  }

  /// Runs a request on any session, once.
  template <class Request>
  auto once(Request&& request) -> decltype(request(*std::declval<RunStore*>())) {
    auto store = stores.borrow();
    if (!store) return std::unexpected(store.error());
    return request(**store);
  }

  Result<std::vector<StartedRun>> start(const std::string& flow, const std::vector<Json>& inputs,
                                        StartOptions options);

  RunStores stores;
  RunEnds<> ends{[this](const std::vector<std::string>& ids) {
    return repeatable([&](RunStore& store) { return store.over_among(ids); });
  }};
  std::shared_ptr<EventSource> events;
};

class ClientParts {
 public:
  static Client on(RunStore& store) { return Client(std::make_unique<Client::Parts>(store)); }
};

Client client_on(RunStore& store) { return ClientParts::on(store); }

Client::Client(std::unique_ptr<Parts> parts) noexcept : parts_(std::move(parts)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const std::string& url, ClientOptions options) {
  Client client(std::make_unique<Parts>([url] { return postgres::open_run_store(url); },
                                        std::max<std::size_t>(options.sessions_max, 1),
                                        [url] { return postgres::EventFeed::open(url); }));
  auto schema = postgres::schema_state(url);
  if (!schema) return std::unexpected(schema.error());
  if (schema->lack) return std::unexpected(*std::move(schema->lack));
  return client;
}

Result<std::vector<StartedRun>> Client::Parts::start(const std::string& flow,
                                                     const std::vector<Json>& inputs,
                                                     StartOptions options) {
  auto store = stores.borrow();
  if (!store) return std::unexpected(store.error());
  const auto known = [&] {
    auto answer = (*store)->flow(flow, options.version);
    return !answer && answer.error().code == ErrorCode::unavailable
               ? (*store)->flow(flow, options.version)
               : answer;
  }();
  if (!known) return std::unexpected(known.error());
  if (known->input_schema)
    if (const auto fit = check_all(InputSchema(*known->input_schema), inputs); !fit)
      return std::unexpected(fit.error());

  // With ids of our own the same start may be repeated until its outcome is known.
  const bool own_ids = options.run_ids.empty();
  for (std::size_t i = 0; own_ids && i < inputs.size(); ++i)
    options.run_ids.push_back(new_run_id());
  auto started = (*store)->start(flow, inputs, options);
  const auto began = Clock::now();
  bool outcome_unknown = false;
  for (milliseconds pause{20}; !started && Clock::now() - began < away_longest; pause *= 2) {
    outcome_unknown = outcome_unknown || started.error().code == ErrorCode::in_doubt;
    const bool retryable = started.error().code == ErrorCode::in_doubt ||
                           started.error().code == ErrorCode::unavailable;
    if (!outcome_unknown || !retryable) break;
    std::this_thread::sleep_for(pause);
    started = (*store)->start(flow, inputs, options);
  }
  if (!started && outcome_unknown && own_ids && started.error().code == ErrorCode::conflict) {
    std::vector<StartedRun> ours;
    for (const std::string& id : options.run_ids) ours.push_back({.id = id, .created = true});
    return ours;
  }
  if (started && outcome_unknown && own_ids)
    for (std::size_t i = 0; i < started->size(); ++i)
      if ((*started)[i].id == options.run_ids[i]) (*started)[i].created = true;
  return started;
}

Result<StartedRun> Client::start(const std::string& flow, const Json& input,
                                 const RunOptions& options) {
  auto started = parts_->start(flow, {input}, many(options));
  if (!started) return std::unexpected(started.error());
  return std::move(started->front());
}

Result<std::vector<StartedRun>> Client::start_many(const std::string& flow,
                                                   const std::vector<Json>& inputs,
                                                   const StartOptions& options) {
  return parts_->start(flow, inputs, options);
}

Result<void> Client::check_input(const std::string& flow, const Json& input,
                                 std::optional<int> version) {
  const auto known = parts_->repeatable([&](RunStore& store) { return store.flow(flow, version); });
  if (!known) return std::unexpected(known.error());
  return known->input_schema ? weir::check_input(*known->input_schema, input) : Result<void>();
}

Result<RunReport> Client::wait(const std::string& id, milliseconds patience) {
  return wait(id, Watcher(), patience);
}

Result<RunReport> Client::wait(const std::string& id, const Watcher& watcher,
                               milliseconds patience) {
  constexpr milliseconds pause_longest{250};
  const auto fetch_report = [&](bool with_values) {
    return parts_->repeatable([&](RunStore& store) { return store.report(id, with_values); });
  };
  const auto began = Clock::now();
  std::optional<RunEnds<>::Wait> waiting;
  for (milliseconds pause{20};; pause = std::min(pause * 5 / 4, pause_longest)) {
    if (!waiting || watcher) {
      if (const auto report = fetch_report(false)) {
        if (is_over(report->summary.status)) return fetch_report(true);
        if (watcher) watcher(*report);
      } else if (report.error().code != ErrorCode::unavailable ||
                 (!waiting && Clock::now() - began > away_longest)) {
        return std::unexpected(report.error());
      } else if (!waiting) {
        std::this_thread::sleep_for(pause);
        continue;
      }
    }
    // Only after a report: an invalid id would make the shared query fail for all waiting threads.
    if (!waiting) waiting.emplace(parts_->ends.wait_for(id));
    if (!watcher && patience.count() == 0) {
      if (const auto over = waiting->until_over(); !over) return std::unexpected(over.error());
      return fetch_report(true);
    }
    const auto end_of_patience = patience.count() > 0 ? began + patience : Clock::time_point::max();
    const auto next_poll = watcher ? Clock::now() + pause : Clock::time_point::max();
    const auto over = waiting->until(std::min(end_of_patience, next_poll));
    if (!over) return std::unexpected(over.error());
    if (*over) return fetch_report(true);
    if (Clock::now() >= end_of_patience)
      return std::unexpected(
          Error{.code = ErrorCode::unavailable,
                .kind = "still_running",
                .message = fmt::format("run {} is not over after {} ms", id, patience.count()),
                .hint = "it is still running: weir runs watch " + id});
  }
}

Result<RunSummary> Client::summary(const std::string& id) {
  return parts_->repeatable([&](RunStore& store) { return store.summary(id); });
}

Result<RunReport> Client::report(const std::string& id) {
  return parts_->repeatable([&](RunStore& store) { return store.report(id, true); });
}

Result<std::vector<AttemptReport>> Client::attempts(const std::string& id) {
  const auto recorded = parts_->repeatable([&](RunStore& store) { return store.recorded(id); });
  if (!recorded) return std::unexpected(recorded.error());
  const std::vector<std::string> slugs = step_slugs(recorded->definition);
  std::vector<AttemptReport> attempts;
  for (const JournalRow& row : recorded->rows)
    attempts.push_back({.step = row.task.step < slugs.size() ? slugs[row.task.step] : "",
                        .index = row.task.index,
                        .attempt = row.attempt,
                        .outcome = std::string(name(row.outcome)),
                        .output = row.output,
                        .error_code = row.error_code,
                        .error = row.error,
                        .started_at = row.started_at,
                        .ended_at = row.ended_at});
  return attempts;
}

Result<std::vector<RunSummary>> Client::runs(const RunFilter& filter) {
  return parts_->repeatable([&](RunStore& store) { return store.runs(filter); });
}

Result<std::int64_t> Client::workers_alive() {
  return parts_->repeatable([](RunStore& store) { return store.workers_alive(); });
}

Result<bool> Client::signal(const std::string& id, const std::string& name, const Json& payload) {
  return parts_->repeatable([&](RunStore& store) { return store.signal(id, name, payload); });
}

Result<bool> Client::cancel(const std::string& id, const std::string& reason) {
  return parts_->repeatable([&](RunStore& store) { return store.cancel(id, reason); });
}

Result<std::int64_t> Client::retry(const std::string& id) {
  return parts_->once([&](RunStore& store) { return store.retry(id); });
}

Result<bool> Client::pause(const std::string& flow) {
  return parts_->repeatable([&](RunStore& store) { return store.pause(flow); });
}

Result<bool> Client::resume(const std::string& flow) {
  return parts_->repeatable([&](RunStore& store) { return store.resume(flow); });
}

Result<Listening> Client::listen(Listener listener, EventsOf which) {
  if (!parts_->events)
    return std::unexpected(Error{.code = ErrorCode::internal,
                                 .kind = "no_url",
                                 .message = "a client without a session of its own cannot listen"});
  return parts_->events->listen(std::move(listener), std::move(which));
}

}  // namespace weir
