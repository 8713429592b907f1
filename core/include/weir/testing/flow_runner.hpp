/// Runs a whole flow inside a test: no database, no worker, no waiting.
///
///     #include <weir/testing/flow_runner.hpp>
///
///     weir::testing::FlowRunner runner(weir_plugin_v1, "order_totals");
///     runner.fail("price", "no answer", 2);  // the next two attempts fail instead of running
///     const auto run = runner.run(R"({"id": 7})");
///     assert(run.completed() && run.output() == R"({"sum":{"cents":1200}})");
///     assert(run.attempts("price").size() == 3);
///     assert(run.elapsed() >= 6s);  // two backoffs, which the test did not wait for
///
/// What comes next in the run is decided by the code that decides it in production, and a step is
/// called as a worker calls it, through the C ABI: retries, backoff, maps, max_output, resources.
/// CMake: `target_link_libraries(my_test PRIVATE weir::flow_testing)`.
///
/// **Time** is virtual. Backoff, start delays and what retry_after asks for pass at once, and so do
/// the waits of asynchronous handlers (`co_await context.sleep(1h)`), which are the time that an
/// attempt takes: its code takes none, so elapsed() is the same each time. Steps run one after the
/// other on the calling thread, in the order in which they would begin if there were slots for all,
/// each to its end before the next begins. Waits for anything else are real.
///
/// **Waits** end with the signal a test gives, or when their time is over, which passes at once.
/// **Flow steps** run the flow they start in memory as well, when it is one of the same plugin:
/// child() is its runner. For any other flow, mock() must replace the whole child run.
///
/// **Settlements** (C9): what a handler runs in a transaction of its own goes to a database that the
/// test replaces; commit() says that the transaction was committed. A file's steps cannot settle.
///
/// **Timeouts**: a wait that reaches the step's timeout ends there. Other code of a handler runs in
/// real time: when that reaches the timeout, Context::cancelled() says so, and the attempt is
/// `timed_out` once the handler has returned; in elapsed() it took as long as the timeout. To test
/// without waiting for a long one: time_out() lets it pass at once, timeout() makes it short. A
/// handler that never asks is never stopped.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <weir/abi/plugin.h>
#include <weir/sdk/handler.hpp>

namespace weir::testing {

/// One attempt of one task.
struct TriedAttempt {
  std::string step = {};
  std::size_t index = 0;  ///< of a map's element; else 0
  int number = 1;         ///< from 1
  std::string input = {};
  std::string outcome = {};  ///< completed, failed, failed_for_good, timed_out, lost, cancelled
  std::string output = {};   ///< JSON; "" unless it completed, or was refused for its output
  std::string error_code = {}, error = {};
  std::chrono::microseconds waited{};  ///< since the one before ended; of the first: start_delay
  std::chrono::microseconds began{};   ///< since the run began
  std::chrono::microseconds took{};    ///< from its beginning to its end
};

struct LoggedLine {
  std::string level = {};  ///< debug, info, warn, error
  std::string message = {};
  std::string step = {};
  std::size_t index = 0;
  int attempt = 1;
};

struct SkippedStep {
  std::string step = {};
  std::string reason = {};  ///< condition_unmet, handler_failed, dependency_skipped
};

/// A run that has ended. A value, independent of its runner.
class FinishedRun {
 public:
  bool completed() const noexcept { return status_ == "completed"; }
  const std::string& status() const noexcept { return status_; }  ///< completed or failed

  /// `{leaf: output}` as JSON, null when all leaves were skipped; "" when the run failed.
  const std::string& output() const noexcept { return output_; }

  /// Why it failed, as `weir runs show` shows it; "" when it completed.
  const std::string& error() const noexcept { return error_; }

  /// All attempts, in the order they began; of waits, in the order they ended.
  const std::vector<TriedAttempt>& attempts() const noexcept { return attempts_; }

  /// Those of one step. Throws std::invalid_argument, with the nearest name, when the flow has no
  /// such step.
  std::vector<TriedAttempt> attempts(std::string_view step) const;

  /// Steps that were skipped.
  const std::vector<SkippedStep>& skipped() const noexcept { return skipped_; }

  /// Why that step was skipped; "" when it was not. Throws as attempts().
  std::string skipped(std::string_view step) const;

  /// The runs that flow steps started in memory, in the order they began.
  const std::vector<FinishedRun>& children() const noexcept { return children_; }
  const std::string& flow() const noexcept { return flow_; }

  const std::vector<LoggedLine>& logs() const noexcept { return logs_; }

  /// From its start to its end, in virtual time.
  std::chrono::microseconds elapsed() const noexcept { return elapsed_; }

 private:
  friend class FlowRunner;
  FinishedRun() = default;

  std::string flow_, status_, output_, error_;
  std::vector<std::string> steps_;
  std::vector<TriedAttempt> attempts_;
  std::vector<SkippedStep> skipped_;
  std::vector<FinishedRun> children_;
  std::vector<LoggedLine> logs_;
  std::chrono::microseconds elapsed_{};
};

/// Runs one flow, any number of times. Mocks and timeouts hold for all runs; what fail() and the
/// like plan is used up. Resources that steps share end with the runner.
///
/// Members that are given a step's name throw std::invalid_argument, with the nearest name, when
/// the flow has no such step, and when they do not apply to a step of its kind.  [one thread at a
/// time]
class FlowRunner {
 public:
  /// A flow of a plugin that this program is linked with; without a slug its only one. Throws
  /// std::invalid_argument for a flow that does not exist, with the nearest name; for several flows
  /// when none is named; for a plugin that Weir would refuse, with every fault.
  explicit FlowRunner(const weir_plugin& plugin, std::string_view flow = {});

  /// A flow of a plugin file, checked and loaded as Weir does. Throws std::invalid_argument: as
  /// above, and when the file is refused.
  static FlowRunner load(const std::filesystem::path& plugin, std::string_view flow = {});

  FlowRunner(FlowRunner&&) noexcept;
  FlowRunner& operator=(FlowRunner&&) noexcept;
  ~FlowRunner();

  /// Starts a run with this JSON and runs it to its end. Throws std::invalid_argument when it
  /// cannot be started: the text is not JSON, or the flow's input schema or a map at its root
  /// refuses it.
  FinishedRun run(std::string_view input = "null");

  // These plan the step's next `times` attempts, of whichever task; the first planned comes first.
  /// They fail instead of running.
  void fail(std::string_view step, std::string_view error, int times = 1);
  /// The next attempt fails for good instead of running.
  void fail_for_good(std::string_view step, std::string_view error);

  /// They run, and cancelled() says from the start that the timeout passed; they end as timed_out.
  void time_out(std::string_view step, int times = 1);

  /// They run, and what they return is lost as if the worker had lost power: the handler's effects
  /// have happened, and it will run again, unless it has settled itself.
  void lose(std::string_view step, int times = 1);

  /// Sends the next run a signal, that long after it began; called from a mock, the current run, at
  /// once. It ends the wait for it, also one that begins later. Throws std::invalid_argument when
  /// no wait is for that signal, with the nearest name; when the payload is not JSON; when the
  /// signal was sent already.
  void signal(std::string_view name, std::string_view payload = "null",
              std::chrono::microseconds after = {});

  /// Commits what Context::settlement gave the running attempt, of this flow or a child: to be called
  /// by what takes the database's place, when the handler commits a transaction that ran the
  /// statement. With it the attempt has completed with that output, whatever the handler then
  /// returns or throws. False: the transaction must fail too, because the attempt has ended, its
  /// timeout has passed, it is settled already, or a map cannot run over the output. Throws
  /// std::invalid_argument when it is no such statement.  [any thread]
  bool commit(std::string_view settlement);

  /// The runner of a flow that flow steps of this one start, to plan failures, mocks and signals
  /// for each of its runs. Throws std::invalid_argument when the plugin has no such flow, with the
  /// nearest name. Lives as long as this runner.
  FlowRunner& child(std::string_view flow);

  /// From now on `stand_in` replaces the step's handler; for a flow step, the run it starts. It is
  /// given the task's input and returns its output, JSON both; an exception counts as one of the
  /// handler.
  void mock(std::string_view step, std::function<std::string(std::string_view)> stand_in);

  /// As mock, with another handler, also an asynchronous one: `runner.mock<charge_nothing>("charge")`.
  template <auto handler>
  void mock(std::string_view step) {
    mock(step, sdk::run_of<handler>);
  }

  // Overrides, as in flows.yaml. They throw std::invalid_argument when out of range.

  void timeout(std::string_view step, std::chrono::milliseconds timeout);
  void max_attempts(std::string_view step, int count);

  /// The flow's slug, and its steps' in the order of its definition.
  const std::string& flow() const;
  std::vector<std::string> steps() const;

 private:
  using Run = std::int32_t (*)(const weir_host*, weir_call*, weir_str input, void* user) noexcept;
  struct State;

  explicit FlowRunner(std::unique_ptr<State> state);
  void mock(std::string_view step, Run code);

  std::unique_ptr<State> state_;
};

}  // namespace weir::testing
