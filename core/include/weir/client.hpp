/// Runs of flows, from your own program: start them, wait for them, read them, signal and cancel
/// them, receive their events.
///
///     #include <weir/client.hpp>
///
///     auto client = weir::Client::connect("postgresql://db.example.org/shop");
///     const auto run = client->start("order", *weir::Json::parse(R"({"id": 7})"));
///     const auto end = client->wait(run->id);  // end->output: what its last steps returned
///
/// CMake: `find_package(Weir)` and `target_link_libraries(shop PRIVATE weir::client)`. To start a
/// run in a transaction of your own: weir/client/statements.hpp, which this includes.
///
/// **Threads**: any number of threads may use one client at the same time; a thread may move or
/// destroy it if it knows that no other uses it. The client starts threads of its own with the
/// first wait() or listen().
///
/// **Errors** are values. `unavailable` means that retrying later may help; `in_doubt` that the
/// outcome is unknown; all others say what to fix.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <weir/client/run_event.hpp>
#include <weir/client/run_report.hpp>
#include <weir/client/start_options.hpp>
#include <weir/client/statements.hpp>
#include <weir/json_text.hpp>
#include <weir/result.hpp>

namespace weir {

struct ClientOptions {
  /// The most sessions with the database that calls share; opened when they are needed. One more is
  /// used while there is a listener.
  std::size_t sessions_max = 8;
};

/// A database with flows in it, and the requests that can be made to it. Every call may also fail
/// with `unavailable`.  [any thread]
class Client {
 public:
  /// `url`: what libpq takes, a URL or keywords and values, as `database` in flows.yaml. The
  /// database must have been prepared by `weir migrate`. Errors: unavailable, by kind:
  /// database_away, access_denied, no_such_database, not_migrated, no_permission, schema_older (run
  /// `weir migrate`); conflict, kind database_newer (update this library).
  static Result<Client> connect(const std::string& url, ClientOptions options = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  /// No other call may be running. Listeners are not called any more.
  ~Client();

  // ------------------------------------------------------------------------------------ starting

  /// Starts a run (S1). Returns once it is committed. When the connection breaks during the call,
  /// it finds out whether the run exists: repeat the call only after an error. Errors: not_found
  /// with the nearest slug (S2); invalid_input: an input that the flow does not accept, with the
  /// JSON pointer (S3), or an option out of its range; conflict: a run of that id exists; in_doubt:
  /// the database stays unreachable.
  Result<StartedRun> start(const std::string& flow, const Json& input,
                           const RunOptions& options = {});

  /// Starts a run for each input, all of them or none, in one statement (S5). Errors: as start.
  Result<std::vector<StartedRun>> start_many(const std::string& flow,
                                             const std::vector<Json>& inputs,
                                             const StartOptions& options = {});

  /// Whether a flow accepts this input, as start would decide: for runs that are started by
  /// start_statement. Errors: not_found; invalid_input with the JSON pointer.
  Result<void> check_input(const std::string& flow, const Json& input,
                           std::optional<int> version = {});

  // -------------------------------------------------------------------------------------- reading

  /// Called with a report on the run, which is cheap: it has no inputs and outputs.
  using Watcher = std::function<void(const RunReport&)>;

  /// Returns the run once it has ended, also when it had ended before. A `patience` of zero waits
  /// for ever. Any number of waiting threads use one session, which polls for all of them: a run's
  /// end is known within 20 to 250 ms. Errors: not_found; invalid_input for what is not a UUID;
  /// unavailable when the database is unreachable for 10 s, or patience ran out (kind
  /// "still_running").
  Result<RunReport> wait(const std::string& id, std::chrono::milliseconds patience = {});

  /// As wait, and calls `watcher`, if there is one, after every poll in between (at first every
  /// 20 ms, then every 250 ms), on this thread.
  Result<RunReport> wait(const std::string& id, const Watcher& watcher,
                         std::chrono::milliseconds patience = {});

  /// Status and times. Errors: not_found; invalid_input for what is not a UUID.
  Result<RunSummary> summary(const std::string& id);

  /// Everything but the attempts. Errors: as summary.
  Result<RunReport> report(const std::string& id);

  /// Every attempt that has ended, by step, index and number. Cost: all outputs of the run. Errors:
  /// as summary.
  Result<std::vector<AttemptReport>> attempts(const std::string& id);

  /// Runs, the newest first. Errors: not_found for a flow this database does not know.
  Result<std::vector<RunSummary>> runs(const RunFilter& filter = {});

  /// The number of workers whose lease has not expired.
  Result<std::int64_t> workers_alive();

  // ------------------------------------------------------------------------------------- changing
  // When the connection breaks during a signal, a cancel, a pause or a resume, the call is repeated
  // once; false may then mean that the first time took effect. A retry is not repeated.

  /// Sends a signal, which ends a wait step (C4), also before the step begins. False when it was
  /// signalled before. Errors: not_found: no such run, or no wait step for such a signal; conflict,
  /// kind "run_over".
  Result<bool> signal(const std::string& id, const std::string& name, const Json& payload = {});

  /// Ends a run as cancelled, with its child runs (C1). False when it had ended. Errors: not_found.
  Result<bool> cancel(const std::string& id, const std::string& reason = {});

  /// Makes a failed or cancelled run continue with what is missing (C3). Returns how many tasks are
  /// retried. Errors: not_found; conflict, kind "run_not_failed".
  Result<std::int64_t> retry(const std::string& id);

  /// After pause no run of the flow is claimed, after resume they are again (C2). False when that
  /// was so before. Errors: not_found with the nearest slug.
  Result<bool> pause(const std::string& flow);
  Result<bool> resume(const std::string& flow);

  // -------------------------------------------------------------------------------------- events

  /// Calls `listener` for what happens to runs, from now on (E1). Workers learn within moments that
  /// there is a listener; without one they send nothing. A connection that breaks is opened again,
  /// and on_gap is called. Errors: unavailable, when there is no connection to begin with.
  Result<Listening> listen(Listener listener, EventsOf which = {});

 private:
  friend class ClientParts;
  struct Parts;
  explicit Client(std::unique_ptr<Parts> parts) noexcept;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir
