/// Runs of flows, from a program of one's own: start them, wait, look, tell them things, hear of
/// them.
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
/// **Threads**: any number may use one client at the same time, and it may be moved and destroyed
/// by one that knows that no other uses it. It has threads of its own once somebody waits or
/// listens.
///
/// **Errors** are values. `unavailable` means that trying again later may help; `in_doubt` that it
/// is unknown whether it happened; all others say what to mend.
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
  /// Sessions with the database that calls share; made when they are needed. One more is taken
  /// while somebody listens.
  std::size_t sessions_max = 8;
};

/// A database with flows in it, and what can be asked of it. Every call may also fail with
/// `unavailable`.  [any thread]
class Client {
 public:
  /// `url`: what libpq takes, a URL or keywords and values, as `database` in flows.yaml. The
  /// database was prepared by `weir migrate`, or any other command of Weir's. Errors: unavailable,
  /// by kind: database_away, access_denied, no_such_database, not_migrated.
  static Result<Client> connect(const std::string& url, ClientOptions options = {});

  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  ///< no call is at work; what listens hears no more

  // ------------------------------------------------------------------------------------ starting

  /// Starts a run (S1). Returns once it is committed. When the connection breaks under the call it
  /// finds out whether the run exists: repeating is needed only after an error. Errors: not_found
  /// with the nearest slug (S2); invalid_input: what the flow cannot take, with the JSON pointer
  /// (S3), or an option out of its range; conflict: a run of that id exists; in_doubt: the database
  /// stays away.
  Result<StartedRun> start(const std::string& flow, const Json& input,
                           const RunOptions& options = {});

  /// Starts a run for each input, all of them or none, in one statement (S5). Errors: as start.
  Result<std::vector<StartedRun>> start_many(const std::string& flow,
                                             const std::vector<Json>& inputs,
                                             const StartOptions& options = {});

  /// Whether a flow takes this input, as start would say: for runs that are started by
  /// start_statement. Errors: not_found; invalid_input with the JSON pointer.
  Result<void> check_input(const std::string& flow, const Json& input,
                           std::optional<int> version = {});

  // -------------------------------------------------------------------------------------- looking

  /// What a watcher is told: cheap, without inputs and outputs.
  using Watcher = std::function<void(const RunReport&)>;

  /// Returns the run once it is over, also when it was before. `patience` of zero waits for ever.
  /// Any number of threads wait at the cost of one session, which asks for all of them: a run's end
  /// is known within 20 to 250 ms. Errors: not_found; invalid_input for what is no UUID;
  /// unavailable when the database stays away for 10 s, or patience ran out (kind
  /// "still_running").
  Result<RunReport> wait(const std::string& id, std::chrono::milliseconds patience = {});

  /// As wait, and tells `watcher`, if there is one, of every look in between (at first every 20 ms,
  /// then every 250 ms), on this thread.
  Result<RunReport> wait(const std::string& id, const Watcher& watcher,
                         std::chrono::milliseconds patience = {});

  /// Status and times. Errors: not_found; invalid_input for what is no UUID.
  Result<RunSummary> summary(const std::string& id);

  /// All but the attempts. Errors: as summary.
  Result<RunReport> report(const std::string& id);

  /// Every attempt that has ended, by step, index and number. Cost: all outputs of the run. Errors:
  /// as summary.
  Result<std::vector<AttemptReport>> attempts(const std::string& id);

  /// The newest first. Errors: not_found for a flow this database does not know.
  Result<std::vector<RunSummary>> runs(const RunFilter& filter = {});

  /// Workers whose lease stands.
  Result<std::int64_t> workers_alive();

  // -------------------------------------------------------------------------------------- telling

  /// Ends a wait step (C4), also before it begins. False when it was signalled before. Errors:
  /// not_found: no such run, or no wait step for such a signal; conflict, kind "run_over".
  Result<bool> signal(const std::string& id, const std::string& name, const Json& payload = {});

  /// Has a run end as cancelled, and its children (C1). False when it was over. Errors: not_found.
  Result<bool> cancel(const std::string& id, const std::string& reason = {});

  /// Has a failed or cancelled run go on from what is missing (C3). Returns how many tasks are
  /// tried anew. Errors: not_found; conflict, kind "run_not_failed".
  Result<std::int64_t> retry(const std::string& id);

  /// From now on no run of the flow is claimed, or they are again (C2). False when it was so.
  /// Errors: not_found with the nearest slug.
  Result<bool> pause(const std::string& flow);
  Result<bool> resume(const std::string& flow);

  // ------------------------------------------------------------------------------------ listening

  /// Has `listener` told what happens to runs, from now on (E1). Workers hear within moments that
  /// somebody listens; before that they send nothing. A connection that breaks is mended, and
  /// on_gap called. Errors: unavailable, when there is no connection to begin with.
  Result<Listening> listen(Listener listener, EventsOf which = {});

 private:
  friend class ClientParts;
  struct Parts;
  explicit Client(std::unique_ptr<Parts> parts) noexcept;
  std::unique_ptr<Parts> parts_;
};

}  // namespace weir
