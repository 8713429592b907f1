#pragma once
#include <algorithm>
#include <cassert>
#include <limits>

#include <weir/supervisor.hpp>

namespace weir {

/// The state of a supervisor besides its thread.
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

  /// Errors: bad_limit, bad_backoff.
  static Result<void> check(const Options& options);

  void run();

  Result<void> wait_for_begin();
  Result<void> wait_for_end();
  void request_stop();

  /// Makes the supervising thread do `work`. Errors: would_deadlock, supervisor_ended.
  template <class T>
  Result<T> ask(const std::function<Result<T>()>& work);

  Result<std::shared_ptr<Child>> start_child(ChildSpec spec);
  Result<void> terminate_child(const std::string& id);
  Result<std::shared_ptr<Child>> restart_child(const std::string& id);
  Result<void> delete_child(const std::string& id);

  /// nullptr: the one that runs has just ended; ask again.
  Result<std::shared_ptr<Child>> resolve(const std::string& key);

  std::vector<ChildInfo> children() const;
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
    std::shared_ptr<Child> child{};    // null unless it runs
    std::shared_ptr<Life> life{};      // null unless it runs
    std::optional<Time> restart_at{};  // set while it waits for its restart
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
  Result<std::shared_ptr<Child>> start_asked_for(ChildEntry& entry);
  void stop_life(ChildEntry& entry);
  bool ends_in_time(ChildEntry& entry);
  void finish_life(ChildEntry& entry, bool ended, State next);

  // What follows from a death. An error: the supervisor gives up with it.
  Result<void> handle_end(const std::shared_ptr<Life>& life);
  Result<void> handle_death(ChildEntry& entry, What what, const std::optional<Error>& error);
  Result<void> restart_next();
  void stop_group(const ChildEntry& of, Time restart_at);
  void stop_all();
  Error gave_up_error(const ChildEntry& entry) const;
  std::chrono::milliseconds delay() const;

  Result<void> check(const ChildSpec& spec) const;
  ChildEntry& add(ChildSpec spec);
  void remove(const ChildEntry& entry);
  ChildEntry* find(const std::string& id) const;
  Result<ChildEntry*> known_child(const std::string& id) const;
  // Known, and neither running nor to be restarted.
  Result<ChildEntry*> inactive_child(const std::string& id) const;
  ChildEntry* first_to_restart() const;
  void refuse_calls();

  void observe(What what, const ChildEntry& entry, const std::optional<Error>& error = {},
               std::size_t restarts = 0, std::chrono::milliseconds delay = {}) const;
  Error ended_error() const;
  std::optional<Error> would_deadlock() const;
  // On the supervising thread, or under the mutex.
  bool is_supervising() const { return supervising_ == Sync::thread_index(); }

  Options options_;
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
  std::optional<Result<void>> begun_;
  std::optional<Result<void>> end_;
};

}  // namespace weir

#include <weir/supervisor/impl/calls.hpp>
#include <weir/supervisor/impl/lives.hpp>
#include <weir/supervisor/impl/restarts.hpp>
