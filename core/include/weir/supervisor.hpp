/// Keeps children running, after Elixir's Supervisor and DynamicSupervisor: starts them in order,
/// restarts those that die, gives up when that happens too often, and stops them in reverse order.
/// A supervisor is a child itself (weir/supervisor/supervisor_child.hpp), so they form trees.
///
/// Threads: every member may be called from any thread. One supervising thread for each supervisor
/// runs every start, stop, collect and abandon, the template and the observer, one at a time and
/// without a lock of ours. From within those, whatever waits for the supervising thread is refused
/// (conflict, kind "would_deadlock"); whereis, children and request_stop are fine. A child must not
/// wait for its own supervisor in what its end waits for: that lasts until its time limit.
///
/// Invariants:
/// - One life of a child at a time: the next start comes after the last life said that it ended, or
///   was over its time and abandoned. What an earlier life says is not heard any more.
/// - A stop that was requested is done before any further start, restart or call.
/// - A child is found by no name once it said that it ended, or was asked to.
/// - When it ended, every child has ended or was abandoned, and the observer is called no more.
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

/// Which children are started anew when one died that is to be restarted. Those that run are
/// stopped first, in reverse order.
enum class Strategy {
  one_for_one,   ///< that one
  rest_for_one,  ///< that one, and those after it
  one_for_all,   ///< all
};

/// The wait before a restart: `first`, doubled with every restart that still counts, up to
/// `longest`. Zero: none.
struct RestartBackoff {
  std::chrono::milliseconds first{0};
  std::chrono::milliseconds longest{0};
};

/// A child as it stands.
struct ChildInfo {
  enum class State {
    running,
    restarting,  ///< waits for its restart
    ended,       ///< ended by itself; not to be started again
    stopped,     ///< by terminate_child
  };
  std::string id{};
  std::string name{};
  Restart restart = Restart::permanent;
  State state = State::running;
  std::size_t starts = 0;     ///< that succeeded
  std::size_t deaths = 0;     ///< ends of its own and starts that failed
  std::size_t abandoned = 0;  ///< lives that were over their time to stop
  std::optional<Error> last_error{};
};

///     const auto supervisor = Supervisor::start(
///         {.name = "shop", .limit = {.max_restarts = 3, .max_seconds = 5s}},
///         {thread_child("orders", take_orders), thread_child("mail", send_mail)});
///     …
///     const Result<void> ended = (*supervisor)->wait();
///
/// Cost: a start, a death or a call is a hand-over to the supervising thread (tens of microseconds)
/// and a walk over the children: made for hundreds of them, not for millions.
template <class Sync = StdSync>
class BasicSupervisor {
 public:
  using Names = BasicChildNames<Sync>;
  using Observer = std::function<void(const SupervisorEvent&)>;

  struct Options {
    std::string name = "supervisor";  ///< for people: in errors, events, and as a name's holder
    Strategy strategy = Strategy::one_for_one;
    RestartLimit limit{};
    RestartBackoff backoff{};

    /// What resolve starts for a key. Its id and name become the key.
    std::function<ChildSpec(const std::string& key)> template_spec{};

    /// Where names stand; shared by supervisors that are to see each other's. None: names of its
    /// own.
    std::shared_ptr<Names> names{};

    /// Called after each thing that happened, in order. What it throws counts for nothing.
    Observer observer{};
  };

  /// Starts the children in order and returns when all run. `ended` is told when it has ended: it
  /// is how a supervisor that is itself a child speaks; not told when this returns an error.
  /// Errors: those of a child that did not start, naming it; those before it are stopped then, in
  /// reverse. invalid_input, kind "bad_child" (an id that is empty or given twice, or no start).
  static Result<std::unique_ptr<BasicSupervisor>> start(Options options,
                                                        std::vector<ChildSpec> children,
                                                        std::optional<ChildEnd> ended = {});

  /// stop(). Not from the supervising thread.
  ~BasicSupervisor();
  BasicSupervisor(const BasicSupervisor&) = delete;
  BasicSupervisor& operator=(const BasicSupervisor&) = delete;

  /// Asks it to stop its children in reverse order, each within its time, and to end. Returns at
  /// once; what was asked of it and not begun is refused.
  void request_stop();

  /// Waits until it has ended: nothing when it was stopped, else the error with which it gave up:
  /// the code of the last child's error, kind "gave_up", naming the child, its error and the
  /// counts.
  Result<void> wait();

  /// Both.
  Result<void> stop();

  /// Leaves it behind: it goes on, and stops if asked to, with nobody to wait for it. The last call
  /// but for the destructor.
  void abandon();

  /// Adds a child after the others and starts it.
  /// Errors of this and the following: conflict, kinds "already_started", "running", "restarting",
  /// "would_deadlock"; not_found, kind "unknown_child"; invalid_input, kinds "bad_child",
  /// "no_template"; unavailable, kind "supervisor_ended"; those of the child's start.
  Result<std::shared_ptr<Child>> start_child(ChildSpec spec);

  /// Stops a child, or calls off its restart; until restart_child it stays so, whatever becomes of
  /// its group. It stays known, unless it is temporary. Errors besides: unavailable, kind
  /// "over_time", when it was abandoned.
  Result<void> terminate_child(const std::string& id);

  /// Starts a child again that was terminated or ended for good.
  Result<std::shared_ptr<Child>> restart_child(const std::string& id);

  /// Forgets a child that was terminated or ended for good.
  Result<void> delete_child(const std::string& id);

  /// The living child of that name, started by the template if there is none; racing callers get
  /// the same one. Who needs more than a Child casts: std::dynamic_pointer_cast<Tokens>(*found).
  /// Cost: that of whereis when it runs; else it waits for its turn on the supervising thread, and
  /// for the start. A failed start is told to the one who asked; others try for themselves.
  Result<std::shared_ptr<Child>> resolve(const std::string& key);

  /// The living child of that name; nullptr when there is none. Never waits for a start or stop.
  std::shared_ptr<Child> whereis(const std::string& name) const;

  /// All children, in the order of their start. Never waits for a start or stop.
  std::vector<ChildInfo> children() const;

 private:
  class Core;
  explicit BasicSupervisor(std::shared_ptr<Core> core);

  std::shared_ptr<Core> core_;  // shared with the supervising thread, which may be left behind
  typename Sync::Thread thread_;
};

using Supervisor = BasicSupervisor<>;

}  // namespace weir

#include <weir/supervisor/impl/core.hpp>
#include <weir/supervisor/impl/supervisor.hpp>
