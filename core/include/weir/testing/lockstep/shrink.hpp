#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/testing/lockstep/scheduler.hpp>

namespace weir::lockstep {

/// Looks for a schedule that fails in the same way with fewer switches.
class Shrinker {
 public:
  /// Keeps references to all. Failures are the same if the first lines of their messages are.
  Shrinker(Scheduler& scheduler, const std::function<void()>& body,
           const Scheduler::Settings& settings, std::string message)
      : scheduler_(scheduler), body_(body), settings_(settings), message_(std::move(message)) {}

  bool fails(const Schedule& schedule) const { return tried(schedule).has_value(); }

  /// Runs the body at most a few thousand times. First it leaves parts out and joins parts; then it
  /// tries all schedules with few preemptions, so that the result is mostly the shortest there is.
  Schedule shortest(Schedule schedule) const {
    for (std::size_t left = rounds_max; left > 0; --left) {
      auto better = with_less(schedule);
      if (!better) break;
      schedule = *std::move(better);
    }
    for (std::size_t preemptions = 0; preemptions < 3; ++preemptions) {
      DepthFirst all(preemptions);
      for (std::size_t tries = 0; tries < tries_max; ++tries) {
        Scheduler::Outcome outcome = scheduler_.run(body_, all, settings_);
        if (same_failure(outcome)) {
          if (cost(outcome.schedule) < cost(schedule)) schedule = std::move(outcome.schedule);
          return schedule;
        }
        if (!all.next()) break;
      }
    }
    return schedule;
  }

 private:
  static constexpr std::size_t rounds_max = 60;
  static constexpr std::size_t tries_max = 3'000;

  // Switches first, then the other choices, then length.
  static std::vector<std::size_t> cost(const Schedule& schedule) {
    const auto others = std::ranges::count_if(
        schedule, [](const Choice& each) { return each.kind != Choice::Kind::run; });
    return {switches(schedule), static_cast<std::size_t>(others), schedule.size()};
  }

  bool same_failure(const Scheduler::Outcome& outcome) const {
    if (!outcome.failure) return false;
    const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
    return first_line(*outcome.failure) == first_line(message_);
  }

  // The schedule that resulted, when it failed the same way.
  std::optional<Schedule> tried(const Schedule& plan) const {
    Replay replay(plan);
    Scheduler::Outcome outcome = scheduler_.run(body_, replay, settings_);
    if (!same_failure(outcome)) return std::nullopt;
    return std::move(outcome.schedule);
  }

  // Runs of the same choice.
  static std::vector<Schedule> parts(const Schedule& schedule) {
    std::vector<Schedule> all;
    for (const Choice& each : schedule)
      if (all.empty() || all.back().back() != each)
        all.push_back({each});
      else
        all.back().push_back(each);
    return all;
  }
  static Schedule whole(const std::vector<Schedule>& all) {
    Schedule schedule;
    for (const Schedule& each : all) schedule.insert(schedule.end(), each.begin(), each.end());
    return schedule;
  }

  std::optional<Schedule> with_less(const Schedule& schedule) const {
    const std::vector<Schedule> all = parts(schedule);
    const auto better = [&](const std::vector<Schedule>& candidate) -> std::optional<Schedule> {
      auto became = tried(whole(candidate));
      if (!became || !(cost(*became) < cost(schedule))) return std::nullopt;
      return became;
    };
    // The end: from some part on, no switch is forced.
    for (std::size_t keep = 0; keep < all.size(); ++keep) {
      const auto end = all.begin() + static_cast<std::ptrdiff_t>(keep);
      if (auto found = better({all.begin(), end})) return found;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      // A part left out.
      std::vector<Schedule> without = all;
      without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
      if (auto found = better(without)) return found;
      // A part brought forward to the one that the same task had before.
      const auto same =
          std::find_if(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(),
                       [&](const Schedule& later) { return later.front() == all[i].front(); });
      if (same == all.end()) continue;
      std::vector<Schedule> together = all;
      together.erase(together.begin() + (same - all.begin()));
      together.insert(together.begin() + static_cast<std::ptrdiff_t>(i) + 1, *same);
      if (auto found = better(together)) return found;
    }
    return std::nullopt;
  }

  Scheduler& scheduler_;
  const std::function<void()>& body_;
  Scheduler::Settings settings_;
  std::string message_;
};

}  // namespace weir::lockstep
