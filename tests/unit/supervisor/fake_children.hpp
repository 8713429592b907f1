#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weir/supervisor.hpp>

namespace weir {

/// The machine, but for its clock: a test moves it.
struct ManualSync : StdSync {
  struct Clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Clock>;
    static constexpr bool is_steady = true;
    static inline std::atomic<rep> count = 0;
    static time_point now() noexcept { return time_point(duration(count.load())); }
    static void advance(duration by) { count += by.count(); }
  };
};
using ManualSupervisor = BasicSupervisor<ManualSync>;

inline Error fault(std::string message = "broke") {
  return {.code = ErrorCode::unavailable, .kind = "fault", .message = std::move(message)};
}

/// Children without work of their own, and a journal of what was done with them: "+a" a start, "!a"
/// a start that failed, "-a" a stop, "~a" abandoned.
class FakeChildren {
 public:
  struct Behaviour {
    Restart restart = Restart::permanent;
    Shutdown shutdown = Shutdown::after(std::chrono::minutes(1));
    bool ignores_stop = false;
    std::string name = {};
  };

  ChildSpec child(const std::string& id, const Behaviour& behaviour) {
    const bool ignores = behaviour.ignores_stop;
    return {.id = id,
            .start = [this, id, ignores](const ChildEnd& end) { return start(id, ignores, end); },
            .restart = behaviour.restart,
            .shutdown = behaviour.shutdown,
            .name = behaviour.name};
  }
  ChildSpec child(const std::string& id, Restart restart = Restart::permanent) {
    return child(id, Behaviour{.restart = restart});
  }

  /// Its present life ends.
  void die(const std::string& id, std::optional<Error> error = fault()) {
    const ChildEnd end = [&] {
      const std::scoped_lock lock(mutex_);
      return ends_.at(id);
    }();
    error ? end.with(*error) : end.normally();
  }

  void fail_starts(const std::string& id, int count) {
    const std::scoped_lock lock(mutex_);
    failing_[id] = count;
  }

  /// What happened since the last call: "+a +b -b".
  std::string journal() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(journal_, {});
  }

 private:
  class FakeChild : public Child {
   public:
    FakeChild(FakeChildren& all, std::string id, bool ignores, ChildEnd end)
        : all_(all), id_(std::move(id)), ignores_(ignores), end_(std::move(end)) {}
    void stop() override {
      all_.note("-" + id_);
      if (!ignores_) end_.normally();
    }
    void abandon() override { all_.note("~" + id_); }

   private:
    FakeChildren& all_;
    std::string id_;
    bool ignores_;
    ChildEnd end_;
  };

  Result<std::shared_ptr<Child>> start(const std::string& id, bool ignores, const ChildEnd& end) {
    {
      const std::scoped_lock lock(mutex_);
      if (failing_[id] > 0) {
        --failing_[id];
        append("!" + id);
        return std::unexpected(fault("would not start"));
      }
      append("+" + id);
      ends_.insert_or_assign(id, end);
    }
    return std::make_shared<FakeChild>(*this, id, ignores, end);
  }
  void note(const std::string& what) {
    const std::scoped_lock lock(mutex_);
    append(what);
  }
  void append(const std::string& what) { journal_ += (journal_.empty() ? "" : " ") + what; }

  std::mutex mutex_;
  std::string journal_;
  std::map<std::string, ChildEnd> ends_;
  std::map<std::string, int> failing_;
};

/// Returns when the supervisor has done what follows from all deaths reported before, but for
/// restarts that are to come later: deaths and due restarts come before calls.
template <class Sync>
void settle(BasicSupervisor<Sync>& supervisor) {
  static_cast<void>(supervisor.terminate_child("nobody of this name"));
}

/// As settle(), and until no restart is to be tried again: a call has its turn after one that failed.
template <class Sync>
void settle_restarts(BasicSupervisor<Sync>& supervisor) {
  do {
    settle(supervisor);
  } while (std::ranges::any_of(supervisor.children(), [](const ChildInfo& child) {
    return child.state == ChildInfo::State::restarting;
  }));
}

/// "a running, b restarting", in order.
template <class Sync>
std::string states(const BasicSupervisor<Sync>& supervisor) {
  static constexpr const char* words[] = {"running", "restarting", "ended", "stopped"};
  std::string text;
  for (const ChildInfo& child : supervisor.children())
    text +=
        (text.empty() ? "" : ", ") + child.id + " " + words[static_cast<std::size_t>(child.state)];
  return text;
}

/// Collects what an observer is called with, as the lines of a log.
class EventRecorder {
 public:
  std::function<void(const SupervisorEvent&)> observer() {
    return [this](const SupervisorEvent& event) {
      const std::scoped_lock lock(mutex_);
      lines_.push_back(to_string(event));
    };
  }
  std::vector<std::string> lines() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Something a test waits for that another thread does.
class Gate {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [this] { return open_; }))
      throw std::runtime_error("nobody opened the gate");
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// A supervisor that starts, or the test fails by an exception.
template <class Sync = StdSync>
std::unique_ptr<BasicSupervisor<Sync>> started(typename BasicSupervisor<Sync>::Options options,
                                               std::vector<ChildSpec> children) {
  // Restarts wait for nothing unless a test says for how long.
  if (options.backoff.first == RestartBackoff().first) options.backoff.first = {};
  auto supervisor = BasicSupervisor<Sync>::start(std::move(options), std::move(children));
  if (!supervisor) throw std::runtime_error(to_string(supervisor.error()));
  return *std::move(supervisor);
}

/// No child here dies too often by accident.
inline constexpr RestartLimit never_gives_up{.max_restarts = 1'000'000,
                                             .max_seconds = std::chrono::seconds(1)};

}  // namespace weir
