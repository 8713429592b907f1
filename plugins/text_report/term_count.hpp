#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace text_report {

/// Counts the terms of a text, piece by piece. A term is a whole run of the letters A-Z and a-z,
/// lower-cased, of at most `letters_max`; a longer run is encoded data rather than a word and is
/// skipped.
///
/// Memory is bounded: once a text shows more than `terms_max` different terms, `overflowed` stays
/// true and the counts mean nothing.
class TermCount {
 public:
  static constexpr std::size_t letters_max = 255;
  static constexpr std::size_t terms_max = 1'000'000;
  using Ranked = std::vector<std::pair<std::string, std::uint64_t>>;

  explicit TermCount(std::size_t distinct_max = terms_max) : distinct_max_(distinct_max) {}

  void add(std::string_view piece);

  /// The `count` most frequent terms, ties in ascending order. Ends the text.
  Ranked top(std::size_t count);

  bool overflowed() const noexcept { return overflowed_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void end_term();

  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> counts_;
  std::string term_;  ///< the run that the next piece may continue; one letter too many marks
                      ///< a long one
  std::size_t distinct_max_;
  bool overflowed_ = false;
};

}  // namespace text_report
