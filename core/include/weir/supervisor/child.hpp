/// What a supervisor needs to know about a child: how it is started, how it is asked to stop, how
/// it says that it ended, and what is to happen then.
///
/// Threads: the supervising thread of its supervisor alone calls `start` and everything of a Child.
/// A ChildEnd may be used from any thread, also after the supervisor is gone.
#pragma once
#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <weir/result.hpp>

namespace weir {

/// What happens when a child ended by itself.
enum class Restart {
  permanent,  ///< it is started again, whatever it said
  transient,  ///< it is started again if it ended with an error
  temporary,  ///< it is forgotten, its specification too
};

/// How long a child may take to end once it was asked to.
class Shutdown {
 public:
  using Duration = std::chrono::milliseconds;

  static constexpr Shutdown after(Duration limit) noexcept { return Shutdown(limit); }
  static constexpr Shutdown forever() noexcept { return Shutdown(Duration::max()); }

  /// It is told to stop and abandoned if that was not enough.
  static constexpr Shutdown at_once() noexcept { return Shutdown(Duration::zero()); }

  constexpr Duration limit() const noexcept { return limit_; }
  constexpr bool waits_forever() const noexcept { return limit_ > longest; }

 private:
  static constexpr Duration longest = std::chrono::hours(24 * 365);  // what every clock can add
  explicit constexpr Shutdown(Duration limit) noexcept : limit_(limit) {}
  Duration limit_;
};

/// A child that runs. What it does, it does on threads of its own: nothing here may take long.
///
/// Ownership: shared by the supervisor and by whoever found it with whereis or resolve; a pointer
/// keeps the object, not its work, which may have ended.
class Child {
 public:
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  virtual ~Child() = default;

  /// Asks it to end. Called at most once, and not after it said that it ended. Returns at once; the
  /// child says by its ChildEnd when it has ended. What this throws counts for nothing.
  virtual void stop() = 0;

  /// It ended: take back what it left, such as its thread. The last call.
  virtual void collect() {}

  /// Its time to stop is over: nobody waits for it any more. The last call; what it holds on to, a
  /// thread for one, stays until it ends after all.
  virtual void abandon() {}
};

/// How a child says that it ended. Every copy speaks for the same life of the child; what is said
/// first counts. Never saying anything is never ending.
///
/// Cost: one lock; calls nothing of the user's.  [any thread]
class ChildEnd {
 public:
  explicit ChildEnd(std::function<void(Result<void>)> report) : report_(std::move(report)) {}

  void normally() const { report_({}); }
  void with(Error error) const { report_(std::unexpected(std::move(error))); }
  void with(Result<void> outcome) const { report_(std::move(outcome)); }

 private:
  std::function<void(Result<void>)> report_;
};

/// Starts a child. It may take its time, but its supervisor does nothing else meanwhile. An error,
/// an exception or a null pointer: it did not start, and has left nothing behind.
using StartChild = std::function<Result<std::shared_ptr<Child>>(ChildEnd)>;

/// A child before it runs.
struct ChildSpec {
  std::string id{};  ///< one child's only, within its supervisor
  StartChild start{};
  Restart restart = Restart::permanent;
  Shutdown shutdown = Shutdown::after(std::chrono::seconds(5));
  std::string name{};  ///< under which whereis finds it; empty: under none
};

/// A child that is only asked to stop: `stop` is all of it.
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

/// What the exception that is being handled says, as an error. To be called in a catch clause.
inline Error error_of_exception() {
  Error error{.code = ErrorCode::internal, .kind = "exception", .message = "", .hint = ""};
  try {
    throw;
  } catch (const std::exception& thrown) {
    error.message = thrown.what();
  } catch (...) {
    error.message = "an exception that is no std::exception";
  }
  return error;
}

}  // namespace supervisor

}  // namespace weir
