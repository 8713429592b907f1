/// Keeps children running, after Elixir's Supervisor: starts them in order, restarts those that die,
/// gives up when that happens too often, and stops them in reverse order. A supervisor is a child
/// itself (weir/supervisor/supervisor_child.hpp), so they form trees. For children without an order
/// that come and go there is weir/supervisor/dynamic_supervisor.hpp.
///
/// Threads: every member may be called from any thread. One supervising thread for each supervisor
/// runs every start, stop, collect and abandon, the template and the observer, one at a time and
/// without a lock held. Calls from within those that would wait for the supervising thread are
/// refused (conflict, kind "would_deadlock"); whereis, children and request_stop are fine. A child
/// must not wait for its own supervisor in what its end waits for: that lasts until its time limit.
///
/// Invariants:
/// - One life of a child at a time: the next start comes after the last life reported its end, or
///   exceeded its time and was abandoned. Later reports of an earlier life are ignored.
/// - A stop that was requested is done before any further start, restart or call.
/// - A child is found by no name once it reported its end, or was asked to stop.
/// - When a supervisor has ended, every child has ended or was abandoned, and the observer is not
///   called any more.
#pragma once
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/result.hpp>
#include <weir/supervisor/child.hpp>
#include <weir/supervisor/child_names.hpp>
#include <weir/supervisor/event.hpp>
#include <weir/supervisor/life.hpp>
#include <weir/supervisor/restart_window.hpp>
#include <weir/sync.hpp>

namespace weir {

/// Which children are restarted when a child that is to be restarted died. Those that run are
/// stopped first, in reverse order.
enum class Strategy {
  one_for_one,   ///< that one
  rest_for_one,  ///< that one, and those after it
  one_for_all,   ///< all
};

/// When a supervisor stops by itself, without an error, because a significant child ended by itself
/// and is not restarted. Children that it stopped, or terminate_child did, do not count.
enum class AutoShutdown {
  never,
  any_significant,  ///< at the first one
  all_significant,  ///< once no significant child runs or waits for its restart
};

/// The delay before a restart: `first`, doubled with every restart that still counts, up to
/// `longest`, or always `first` if that is longer. `first` zero: none. Both up to a year.
struct RestartBackoff {
  std::chrono::milliseconds first{10};
  std::chrono::milliseconds longest{1'000};
};

/// The present state of a child.
struct ChildInfo {
  enum class State {
    running,
    restarting,  ///< waits for its restart
    ended,       ///< ended by itself; will not be restarted
    stopped,     ///< by terminate_child
  };
  std::string id{};
  std::string name{};
  Restart restart = Restart::permanent;
  ChildType type = ChildType::worker;
  State state = State::running;
  std::shared_ptr<Child> child{};  ///< null unless it runs
  std::size_t starts = 0;          ///< that succeeded
  std::size_t deaths = 0;          ///< ends by itself and starts that failed
  std::size_t abandoned = 0;       ///< lives that did not stop in time
  std::optional<Error> last_error{};
};

/// How many children there are.
struct ChildCounts {
  std::size_t specs = 0;        ///< in all: those that run, and those that do not now
  std::size_t active = 0;       ///< those that run
  std::size_t supervisors = 0;  ///< of all, those whose type says so
  std::size_t workers = 0;      ///< of all, the others
  friend bool operator==(const ChildCounts&, const ChildCounts&) = default;
};

template <class Sync>
class BasicDynamicSupervisor;
template <class Inner>
class BasicSupervisorChild;

///     const auto supervisor = Supervisor::start(
///         {.name = "shop", .limit = {.max_restarts = 3, .max_seconds = 5s}},
///         {thread_child("orders", take_orders), thread_child("mail", send_mail)});
///     …
///     const Result<void> ended = (*supervisor)->wait();
///
/// Cost: a start, a death or a call is a hand-over to the supervising thread (tens of microseconds)
/// and a pass over the children: made for hundreds of them, not for millions.
template <class Sync = StdSync>
class BasicSupervisor {
 public:
  using Names = BasicChildNames<Sync>;
  using Observer = std::function<void(const SupervisorEvent&)>;

  struct Options {
    std::string name = "supervisor";  ///< for people: in errors, events, and as a name's holder
    Strategy strategy = Strategy::one_for_one;
    AutoShutdown auto_shutdown = AutoShutdown::never;
    RestartLimit limit{};
    RestartBackoff backoff{};

    /// What resolve starts for a key. Its id and name become the key.
    std::function<ChildSpec(const std::string& key)> template_spec{};

    /// The table of names; shared by supervisors that must find each other's children. Null: a
    /// table of its own.
    std::shared_ptr<Names> names{};

    /// Called after each event, in order. Its exceptions are ignored.
    Observer observer{};
  };

  /// Starts the children in order and returns when all run that have something to run. `ended` is
  /// called when the supervisor has ended, for one that is itself a child; not when this returns an
  /// error. Errors: those of a child that did not start, naming it; those before it are stopped
  /// then, in reverse. invalid_input, kinds "bad_child" (an id that is empty or given twice, no
  /// start, a negative time to stop, significant where that means nothing), "bad_limit" (a time that
  /// is not positive, or longer than a year) and "bad_backoff" (negative, or longer than a year).
  static Result<std::unique_ptr<BasicSupervisor>> start(Options options,
                                                        std::vector<ChildSpec> children,
                                                        std::optional<ChildEnd> ended = {});

  /// As stop(). Not from the supervising thread.
  ~BasicSupervisor();
  BasicSupervisor(const BasicSupervisor&) = delete;
  BasicSupervisor& operator=(const BasicSupervisor&) = delete;

  /// Asks it to stop its children in reverse order, each within its time, and to end. Returns at
  /// once; calls that were made and have not begun are refused.
  void request_stop();

  /// Waits until it has ended. No error when it was stopped or shut down by a significant child;
  /// else the one with which it gave up: the code of the last child's error, kind "gave_up", naming
  /// the child, its error and the counts.
  Result<void> wait();

  /// request_stop() and wait().
  Result<void> stop();

  /// Abandons it: it continues, and stops if asked to, but the destructor does not wait for it. Not
  /// for a supervisor that is a child: the one above it does so.
  void abandon();

  /// Adds a child after the others and starts it. nullptr: its start found nothing to run.
  /// Errors of this and the following: conflict, kinds "already_started", "running", "restarting",
  /// "would_deadlock"; not_found, kind "unknown_child"; invalid_input, kinds "bad_child",
  /// "no_template"; unavailable, kind "supervisor_ended"; those of the child's start.
  Result<std::shared_ptr<Child>> start_child(ChildSpec spec);

  /// Stops a child, or cancels its restart; it stays so until restart_child, whatever happens to
  /// its group. It stays known, unless it is temporary. Another error: unavailable, kind
  /// "over_time", when it was abandoned and had any time to stop.
  Result<void> terminate_child(const std::string& id);

  /// Starts a child again that was terminated or ended for good.
  Result<std::shared_ptr<Child>> restart_child(const std::string& id);

  /// Removes a child that was terminated or ended for good.
  Result<void> delete_child(const std::string& id);

  /// The living child of that name, never null, started by the template if there is none; racing
  /// callers get the same one. For more than a Child, cast it:
  /// std::dynamic_pointer_cast<Tokens>(*found).
  /// Cost: that of whereis when it runs; else it waits for its turn on the supervising thread, and
  /// for the start. A failed start is reported to the caller that asked for it; others try again.
  /// Another error: not_found, kind "nothing_to_run".
  Result<std::shared_ptr<Child>> resolve(const std::string& key);

  /// The living child of that name; nullptr when there is none. Never waits for a start or stop.
  std::shared_ptr<Child> whereis(const std::string& name) const;

  /// All children, in the order of their start. Never waits for a start or stop.
  std::vector<ChildInfo> children() const;

  /// How many they are. Never waits for a start or stop.
  ChildCounts count_children() const;

 private:
  friend BasicDynamicSupervisor<Sync>;
  template <class>
  friend class BasicSupervisorChild;
  class Core;
  explicit BasicSupervisor(std::shared_ptr<Core> core);

  template <class Kind>
  static Result<std::unique_ptr<Kind>> launch(const std::shared_ptr<Core>& core);
  void join();  // once it has ended

  std::shared_ptr<Core> core_;  // shared with the supervising thread, which may be abandoned
  typename Sync::Thread thread_;
};

using Supervisor = BasicSupervisor<>;

}  // namespace weir

#include <weir/supervisor/impl/core.hpp>
#include <weir/supervisor/impl/supervisor.hpp>
