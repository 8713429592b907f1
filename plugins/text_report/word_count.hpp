#pragma once
#include <cstdint>
#include <string_view>

namespace text_report {

/// Counts a text as `LC_ALL=C wc -l -w -c` of coreutils 9.1 does, piece by piece.
///
/// White space ends a word and a printable character begins one. Any other byte, 0x80 and above
/// included, does neither: wc takes "a\x01b" for one word and a lone "\x01" for none.
class WordCount {
 public:
  void add(std::string_view piece) noexcept;

  std::uint64_t lines() const noexcept { return lines_; }
  std::uint64_t words() const noexcept { return words_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  std::uint64_t lines_ = 0;
  std::uint64_t words_ = 0;
  std::uint64_t bytes_ = 0;
  bool in_word_ = false;  ///< the next piece may continue a word
};

}  // namespace text_report
