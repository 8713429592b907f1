#pragma once
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <weir/abi/async.h>

#include "bench/engine/serving.hpp"

namespace weir::bench {

/// Completes deferred calls, in order, on a thread of its own.
class Completer {
 public:
  Completer() : thread_([this] { run(); }) {}
  ~Completer();
  Completer(const Completer&) = delete;
  Completer& operator=(const Completer&) = delete;

  void add(const weir_host& host, const weir_async& async, weir_call* deferred);

 private:
  struct Deferred {
    const weir_host* host;
    const weir_async* async;
    weir_call* call;
  };
  void run();

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<Deferred> waiting_;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

/// The flow "bench", whose handlers do nothing but count themselves.
class EmptyFlow {
 public:
  /// One map step of 1,000 elements, or so many single steps in a row.
  enum class Shape { chain, map };
  enum class Handler {
    plain,
    deferred,  ///< its call is completed on another thread
    awaiting,  ///< a coroutine that waits once, for no time
  };
  explicit EmptyFlow(std::size_t steps, Shape shape = Shape::chain,
                     Handler handler = Handler::plain);

  static constexpr const char* slug = "bench";
  FlowModule module() const;
  Json input() const;
  std::size_t tasks_a_run() const { return shape_ == Shape::map ? 1'000 : steps_; }

  /// How many handlers have begun.
  std::size_t begun() const { return begun_.load(std::memory_order_relaxed); }

 private:
  static std::int32_t count(const weir_host* host, weir_call* call, weir_str input, void* user);
  static std::int32_t defer(const weir_host* host, weir_call* call, weir_str input, void* user);
  static std::int32_t await(const weir_host* host, weir_call* call, weir_str input, void* user);
  static decltype(weir_step::run) code_of(Handler handler);

  std::size_t steps_;
  Shape shape_;
  std::atomic<std::size_t> begun_ = 0;
  weir_step step_;
  std::optional<Completer> completer_;
};

/// The flow "bench" with one step, whose handler notes when it began.
class TimedFlow {
 public:
  /// For runs with the inputs 0 to `runs` - 1.
  explicit TimedFlow(std::size_t runs);

  FlowModule module() const;

  /// When the handler of the run with this input began; nullopt: it has not.
  std::optional<Clock::time_point> began(std::size_t run) const;

 private:
  static std::int32_t note(const weir_host* host, weir_call* call, weir_str input, void* user);

  std::vector<std::atomic<Clock::rep>> began_;  // 0: not yet
  weir_step step_;
};

}  // namespace weir::bench
