#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bench/engine/serving.hpp"

namespace weir::bench {

/// The flow "bench", whose handlers do nothing but count themselves.
class EmptyFlow {
 public:
  /// One map step of 1,000 elements, or so many single steps in a row.
  enum class Shape { chain, map };
  explicit EmptyFlow(std::size_t steps, Shape shape = Shape::chain);

  static constexpr const char* slug = "bench";
  FlowModule module() const;
  Json input() const;
  std::size_t tasks_a_run() const { return shape_ == Shape::map ? 1'000 : steps_; }

  /// How many handlers have begun.
  std::size_t begun() const { return begun_.load(std::memory_order_relaxed); }

 private:
  static std::int32_t count(const weir_host* host, weir_call* call, weir_str input, void* user);

  std::size_t steps_;
  Shape shape_;
  std::atomic<std::size_t> begun_ = 0;
  weir_step step_;
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
