/// What a supervisor needs to know about a child: how it is started, how it is asked to stop, how
/// it reports its end, and what happens then.
///
/// Threads: only the supervising thread of its supervisor calls `start` and the members of a Child.
/// A ChildEnd may be used from any thread, also after the supervisor is gone.
#pragma once
#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include <weir/result.hpp>
#include <weir/supervisor/child_name.hpp>

namespace weir {

/// What happens when a child ended by itself.
enum class Restart {
  permanent,  ///< it is restarted, however it ended
  transient,  ///< it is restarted if it ended with an error
  temporary,  ///< it is forgotten, its specification too
};

/// What count_children counts a child as.
enum class ChildType { worker, supervisor };

/// How long a child may take to end once it was asked to.
class Shutdown {
 public:
  using Duration = std::chrono::milliseconds;

  /// A year: what every clock can add. Longer is forever. In hours, so that any time can be compared
  /// with it: seconds near their limit have no milliseconds.
  static constexpr std::chrono::hours longest{24 * 365};

  static constexpr Shutdown after(Duration limit) noexcept { return Shutdown(limit); }
  static constexpr Shutdown forever() noexcept { return Shutdown(Duration::max()); }

  /// It is asked to stop, and abandoned if it has not ended then.
  static constexpr Shutdown at_once() noexcept { return Shutdown(Duration::zero()); }

  constexpr Duration limit() const noexcept { return limit_; }
  constexpr bool waits_forever() const noexcept { return limit_ > longest; }

 private:
  explicit constexpr Shutdown(Duration limit) noexcept : limit_(limit) {}
  Duration limit_;
};

/// A child that runs. It works on threads of its own: nothing here may take long.
///
/// Ownership: shared by the supervisor and by callers that found it with whereis or resolve; a
/// pointer keeps the object, not its work, which may have ended. So what must be free for the next
/// life, such as a port, is given up in collect() and abandon(), not in a destructor. A name needs
/// nothing of this: the owners that `start` makes in KeyedRegistries end with the life, wherever they
/// are, and ChildSpec::via needs no owner at all.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  virtual ~Child() = default;

  /// Asks it to end. Called at most once, and not after it reported its end. Must return at once;
  /// the child reports by its ChildEnd when it has ended. Exceptions are ignored.
  virtual void stop() = 0;

  /// Called when it has ended: take back what it left, such as its thread. The last call.
  virtual void collect() {}

  /// Called when its time to stop is over: no thread waits for it any more. The last call; what it
  /// holds, such as a thread, stays until it ends.
  virtual void abandon() {}
};

/// With this a child reports that it ended. Every copy is for the same life of the child; the first
/// report counts. A child that never reports its end never ends.
///
/// Cost: one lock; calls no code of the user.  [any thread]
class ChildEnd {
 public:
  explicit ChildEnd(std::function<void(Result<void>)> report) : report_(std::move(report)) {}

  void normally() const { report_({}); }
  void with(Error error) const { report_(std::unexpected(std::move(error))); }
  void with(Result<void> outcome) const { report_(std::move(outcome)); }

 private:
  std::function<void(Result<void>)> report_;
};

/// Starts a child. It may take long, but its supervisor does nothing else meanwhile. An error, an
/// exception or a null pointer: the child did not start, and has left nothing behind.
/// nothing_to_run(): that was no failure.
using StartChild = std::function<Result<std::shared_ptr<Child>>(ChildEnd)>;

/// A child before it runs.
struct ChildSpec {
  std::string id{};  ///< unique within its supervisor
  StartChild start{};
  Restart restart = Restart::permanent;
  Shutdown shutdown = Shutdown::after(std::chrono::seconds(5));
  std::string name{};  ///< under which whereis finds it; empty: it is not found

  /// One more name, such as a key of a registry (via.hpp); null: none.
  std::shared_ptr<ChildName> via{};

  /// Its end may end its supervisor (Options::auto_shutdown). Not for a permanent child.
  bool significant = false;
  ChildType type = ChildType::worker;
};

/// A child that only has a way to be stopped: `stop`.
inline std::shared_ptr<Child> child_stopped_by(std::function<void()> stop) {
  class StoppedBy final : public Child {
   public:
    explicit StoppedBy(std::function<void()> stop) : stop_(std::move(stop)) {}
    void stop() override { stop_(); }

   private:
    std::function<void()> stop_;
  };
  return std::make_shared<StoppedBy>(std::move(stop));
}

namespace supervisor {

class NothingToRun final : public Child {
  void stop() override {}
};

/// The exception that is being handled, as an error. Call it in a catch clause.
inline Error error_of_exception() {
  Error error{.code = ErrorCode::internal, .kind = "exception", .message = "", .hint = ""};
  try {
    throw;
  } catch (const std::bad_alloc&) {
    error.code = ErrorCode::unavailable;
    error.kind = "out_of_memory";
    error.message =
        "this process may have no more memory (see ulimit -v, and the limit of its cgroup)";
  } catch (const std::system_error& thrown) {
    error.message = thrown.what();
    if (thrown.code() == std::errc::resource_unavailable_try_again ||
        thrown.code() == std::errc::not_enough_memory) {
      error.code = ErrorCode::unavailable;
      error.kind = "out_of_resources";
      error.message +=
          ": this process may have no more threads, or no more memory for them (see "
          "ulimit -u and ulimit -v, and the limits of its cgroup)";
    }
  } catch (const std::exception& thrown) {
    error.message = thrown.what();
  } catch (...) {
    error.message = "an exception that is not a std::exception";
  }
  return error;
}

}  // namespace supervisor

/// What a start returns that finds nothing to run, as Elixir's :ignore. That is no failure: the
/// child counts as ended, without a death, and is forgotten if one that ended would be.
inline std::shared_ptr<Child> nothing_to_run() {
  return std::make_shared<supervisor::NothingToRun>();
}

}  // namespace weir
