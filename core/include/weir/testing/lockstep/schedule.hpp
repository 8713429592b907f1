#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weir::lockstep {

using TaskNumber = std::uint8_t;  ///< in the order of their start; 0 is the body

inline constexpr std::size_t tasks_max = 64;

/// What the scheduler decided at one point.
struct Choice {
  enum class Kind : std::uint8_t {
    run,   ///< the task runs to its next point
    wake,  ///< the task's wait on a condition ends without a notification
    tick,  ///< time passes, up to the next deadline that a task waits for
    pick,  ///< of several waiting tasks, the one with this place is woken
    rare,  ///< an operation has, of the results that it may have, this rare one
  };
  Kind kind = Kind::run;
  TaskNumber task = 0;  ///< a place for `pick`; from 1 for `rare`; nothing for `tick`
  friend bool operator==(const Choice&, const Choice&) = default;
};

/// Everything that was decided in one run of the body, in order.
using Schedule = std::vector<Choice>;

/// How many times a schedule leaves a task for another.
inline std::size_t switches(const Schedule& schedule) {
  std::size_t count = 0;
  const Choice* last = nullptr;
  for (const Choice& each : schedule) {
    if (each.kind != Choice::Kind::run) continue;
    if (last != nullptr && last->task != each.task) ++count;
    last = &each;
  }
  return count;
}

namespace detail {
inline constexpr std::string_view choice_letters = "xwtpr";  // by Choice::Kind
}

/// "0x3.1x12.w1.t.p0.r1": runs with their lengths; everything else one by one.
inline std::string to_string(const Schedule& schedule) {
  std::string text;
  for (std::size_t i = 0; i < schedule.size();) {
    std::size_t same = i;
    while (same < schedule.size() && schedule[same] == schedule[i]) ++same;
    const Choice& choice = schedule[i];
    for (; i < same; ++i) {
      if (!text.empty()) text += '.';
      if (choice.kind == Choice::Kind::run) {
        text += std::to_string(choice.task) + 'x' + std::to_string(same - i);
        i = same;
        break;
      }
      text += detail::choice_letters[static_cast<std::size_t>(choice.kind)];
      if (choice.kind != Choice::Kind::tick) text += std::to_string(choice.task);
    }
  }
  return text;
}

/// Reads what to_string wrote; nullopt for anything else.
inline std::optional<Schedule> parse_schedule(std::string_view text) {
  Schedule schedule;
  const auto number = [&text]() -> std::optional<std::size_t> {
    std::size_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end.ec != std::errc() || value > 1'000'000) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
    return value;
  };
  while (!text.empty()) {
    Choice choice;
    std::optional<std::size_t> count = 1;
    const char first = text.front();
    if (const std::size_t letter = detail::choice_letters.find(first, 1);
        letter != std::string_view::npos) {
      text.remove_prefix(1);
      choice.kind = static_cast<Choice::Kind>(letter);
    }
    if (choice.kind != Choice::Kind::tick) {
      const auto task = number();
      if (!task || *task >= tasks_max) return std::nullopt;
      choice.task = static_cast<TaskNumber>(*task);
    }
    if (choice.kind == Choice::Kind::run) {
      if (text.empty() || text.front() != 'x') return std::nullopt;
      text.remove_prefix(1);
      count = number();
      if (!count) return std::nullopt;
    }
    schedule.insert(schedule.end(), *count, choice);
    if (text.empty()) break;
    if (text.front() != '.' || text.size() == 1) return std::nullopt;
    text.remove_prefix(1);
  }
  return schedule;
}

}  // namespace weir::lockstep
