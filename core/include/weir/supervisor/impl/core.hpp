#pragma once
#include <algorithm>
#include <cassert>
#include <limits>
#include <map>

#include <weir/registry/owner_scope.hpp>
#include <weir/supervisor.hpp>

namespace weir {

/// The state of a supervisor besides its thread. A dynamic one differs in what it remembers and in
/// how it stops, and in nothing else.
///
/// Threads: `run` is the supervising thread's body, and all that it calls is for that thread alone;
/// so are start_child to resolve, which ask() brings there. The other public members may be called
/// from any thread.
///
/// Invariants: `children_` is changed by the supervising thread alone, under the mutex; so that
/// thread reads it without, and others under the mutex.
template <class Sync>
class BasicSupervisor<Sync>::Core {
 public:
  Core(Options options, std::vector<ChildSpec> children, std::optional<ChildEnd> ended)
      : options_(std::move(options)),
        initial_(std::move(children)),
        ended_callback_(std::move(ended)),
        window_(options_.limit) {
    if (!options_.names) options_.names = std::make_shared<Names>();
  }
  /// A dynamic one.
  Core(Options options, std::size_t max_children, std::optional<ChildEnd> ended)
      : Core(std::move(options), std::vector<ChildSpec>(), std::move(ended)) {
    dynamic_ = true;
    max_children_ = max_children;
  }

  /// Errors: bad_limit, bad_backoff.
  Result<void> check_options() const;

  void run();

  Result<void> wait_for_begin();
  Result<void> wait_for_end();
  void request_stop();

  /// Makes the supervising thread do `work`. Errors: would_deadlock, supervisor_ended.
  template <class T>
  Result<T> ask(const std::function<Result<T>()>& work);

  Result<std::shared_ptr<Child>> start_child(ChildSpec spec);
  Result<void> terminate_child(const std::string& id);
  Result<void> terminate_child(const std::shared_ptr<Child>& child);
  Result<std::shared_ptr<Child>> restart_child(const std::string& id);
  Result<void> delete_child(const std::string& id);

  /// nullptr: the one that runs has just ended; ask again.
  Result<std::shared_ptr<Child>> resolve(const std::string& key);

  std::vector<ChildInfo> children() const;
  ChildCounts count_children() const;
  const Names& names() const noexcept { return *options_.names; }

 private:
  using Clock = typename Sync::Clock;
  using Time = typename Clock::time_point;
  using What = SupervisorEvent::What;
  using State = ChildInfo::State;
  using Life = supervisor::Life<Sync>;
  using Mailbox = supervisor::Mailbox<Sync>;
  using Lock = std::unique_lock<typename Sync::Mutex>;

  struct ChildEntry {
    ChildSpec spec;
    ChildInfo info;
    std::vector<std::unique_ptr<ChildName::Claim>> claims{};  // of its names; empty unless it runs
    OwnerGroup owners{};                                      // made by its start; likewise
    std::shared_ptr<Child> child{};                           // null unless it runs
    std::shared_ptr<Life> life{};                             // null unless it runs
    std::weak_ptr<Child> last{};                              // of the present or the last life
    std::optional<Time> restart_at{};                         // set while it waits for its restart
  };
  using Table = std::vector<std::unique_ptr<ChildEntry>>;
  struct Call {
    std::function<void()> work;
    bool done = false;
  };

  Result<void> begin();
  Result<void> supervise();
  void answer_call(Lock& lock);
  void finish(Result<void> outcome);

  // One life of one child.
  Result<void> start_life(ChildEntry& entry);
  Result<void> claim_names(ChildEntry& entry, const std::shared_ptr<Life>& life);
  static void give_up_names(ChildEntry& entry);
  Result<std::shared_ptr<Child>> start_asked_for(ChildEntry& entry);
  void stop_life(ChildEntry& entry);
  Time ask_to_stop(ChildEntry& entry);               // by when it must have ended
  void await_end(ChildEntry& entry, Time deadline);  // once it was asked
  bool ends_by(const Life& life, Time deadline);
  void finish_life(ChildEntry& entry, bool ended, State next);

  // What follows from a death. An error: the supervisor gives up with it.
  Result<void> handle_end(const std::shared_ptr<Life>& life);
  Result<void> handle_death(ChildEntry& entry, What what, const std::optional<Error>& error);
  Result<void> restart_next();
  void stop_group(const ChildEntry& of, Time restart_at);
  bool ends_supervisor(const ChildEntry& entry) const;
  void stop_all();
  void stop_lives();
  Error gave_up_error(const ChildEntry& entry) const;
  std::chrono::milliseconds delay() const;

  Result<void> check(const ChildSpec& spec) const;
  ChildEntry& add(ChildSpec spec);
  void remove(const ChildEntry& entry);
  // Whether nothing of it is kept when it neither runs nor waits for its restart.
  bool is_forgotten(const ChildEntry& entry) const {
    return dynamic_ || entry.spec.restart == Restart::temporary;
  }
  ChildEntry* find(const std::string& id) const;
  ChildEntry* find_by_name(const std::string& name) const;
  Result<void> terminate(ChildEntry& entry);
  Result<ChildEntry*> known_child(const std::string& id) const;
  // Known, and neither running nor to be restarted.
  Result<ChildEntry*> inactive_child(const std::string& id) const;
  ChildEntry* first_to_restart() const;
  void refuse_calls();

  void observe(What what, const ChildEntry& entry, const std::optional<Error>& error = {},
               std::size_t restarts = 0, std::chrono::milliseconds delay = {}) const;
  std::string title(const ChildSpec& spec) const;  // for messages
  Error ended_error() const;
  std::optional<Error> would_deadlock() const;
  // On the supervising thread, or under the mutex.
  bool is_supervising() const { return supervising_ == Sync::thread_index(); }

  Options options_;
  bool dynamic_ = false;
  std::size_t max_children_ = std::numeric_limits<std::size_t>::max();
  std::vector<ChildSpec> initial_;
  std::optional<ChildEnd> ended_callback_;
  RestartWindow<Clock> window_;

  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();  // its mutex guards what follows
  typename Sync::Condition answered_;                               // for all other threads
  Table children_;
  std::deque<Call*> calls_;  // on the stacks of the threads that wait for them
  bool stop_requested_ = false;
  std::optional<std::size_t> supervising_;  // the thread's index, once it runs
  bool call_is_next_ = false;               // before deaths and restarts; of that thread
  std::size_t restarts_in_a_row_ = 0;       // without a call between them; of that thread
  bool auto_shutdown_ = false;              // a significant child ended; of that thread
  std::optional<Result<void>> begun_;
  std::optional<Result<void>> end_;
};

}  // namespace weir

#include <weir/supervisor/impl/calls.hpp>
#include <weir/supervisor/impl/lives.hpp>
#include <weir/supervisor/impl/restarts.hpp>
