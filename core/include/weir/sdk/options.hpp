#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include <weir/sdk/text_sink.hpp>

namespace weir::sdk {

/// An option's name in the manifest, and its range (D3).
struct OptionRange {
  std::string_view name;
  std::int64_t min, max;
};
enum class Option : std::size_t {
  max_attempts,
  base_delay,
  max_delay,
  timeout,
  start_delay,
  max_output
};
inline constexpr std::int64_t day_in_ms = 86'400'000;
inline constexpr std::array<OptionRange, 6> option_ranges = {{
    {"max_attempts", 1, 1'000},
    {"base_delay_ms", 0, day_in_ms},
    {"max_delay_ms", 0, 365 * day_in_ms},
    {"timeout_ms", 1, 30 * day_in_ms},
    {"start_delay_ms", 0, 365 * day_in_ms},
    {"max_output_bytes", 1, 256 * 1024 * 1024},
}};

/// The options that were set; the others stay as the flow, the configuration or D3 have them.
class OptionValues {
 public:
  constexpr void set(Option option, std::int64_t value) {
    values_[static_cast<std::size_t>(option)] = value;
  }

  /// The first option that is out of its range; empty when there is none.
  constexpr std::string_view out_of_range() const {
    for (std::size_t i = 0; i < option_ranges.size(); ++i)
      if (values_[i] && (*values_[i] < option_ranges[i].min || *values_[i] > option_ranges[i].max))
        return option_ranges[i].name;
    return {};
  }

  /// The first option that is set and is none of `these`; empty when there is none.
  constexpr std::string_view other_than(std::initializer_list<Option> these) const {
    for (std::size_t i = 0; i < option_ranges.size(); ++i) {
      bool is_one = false;
      for (const Option each : these) is_one = is_one || static_cast<std::size_t>(each) == i;
      if (values_[i] && !is_one) return option_ranges[i].name;
    }
    return {};
  }

  constexpr void write(TextSink& out) const {
    for (std::size_t i = 0; i < option_ranges.size(); ++i) {
      if (!values_[i]) continue;
      out.raw(",");
      out.quoted(option_ranges[i].name);
      out.raw(":");
      out.number(*values_[i]);
    }
  }

 private:
  std::array<std::optional<std::int64_t>, option_ranges.size()> values_{};
};

/// The setters that flows and steps share; each returns the changed copy. Durations are whole
/// milliseconds.
template <class Self>
struct CommonOptions {
  using milliseconds = std::chrono::milliseconds;

  consteval Self max_attempts(std::int64_t count) const {
    return with(Option::max_attempts, count);
  }
  consteval Self base_delay(milliseconds delay) const {
    return with(Option::base_delay, delay.count());
  }
  consteval Self max_delay(milliseconds delay) const {
    return with(Option::max_delay, delay.count());
  }
  consteval Self timeout(milliseconds limit) const { return with(Option::timeout, limit.count()); }
  consteval Self max_output(std::int64_t bytes) const { return with(Option::max_output, bytes); }

  OptionValues values{};

 protected:
  consteval Self with(Option option, std::int64_t value) const {
    Self changed = static_cast<const Self&>(*this);
    changed.values.set(option, value);
    return changed;
  }
};

}  // namespace weir::sdk
