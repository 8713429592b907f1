#include "term_count.hpp"

#include <algorithm>

namespace text_report {
namespace {

constexpr char lower_bit = 0x20;

bool is_letter(char c) noexcept {
  const char lowered = static_cast<char>(c | lower_bit);
  return lowered >= 'a' && lowered <= 'z';
}

}  // namespace

void TermCount::add(std::string_view piece) {
  for (const char c : piece) {
    if (!is_letter(c)) {
      end_term();
    } else if (term_.size() <= letters_max) {
      term_.push_back(static_cast<char>(c | lower_bit));
    }
  }
}

void TermCount::end_term() {
  if (!term_.empty() && term_.size() <= letters_max && !overflowed_) {
    if (const auto known = counts_.find(std::string_view(term_)); known != counts_.end()) {
      ++known->second;
    } else if (counts_.size() == distinct_max_) {
      overflowed_ = true;
    } else {
      counts_.emplace(term_, 1);
    }
  }
  term_.clear();
}

TermCount::Ranked TermCount::top(std::size_t count) {
  end_term();
  Ranked ranked(std::min(count, counts_.size()));
  std::partial_sort_copy(counts_.begin(), counts_.end(), ranked.begin(), ranked.end(),
                         [](const auto& a, const auto& b) {
                           return a.second != b.second ? a.second > b.second : a.first < b.first;
                         });
  return ranked;
}

}  // namespace text_report
