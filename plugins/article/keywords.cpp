#include "keywords.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "words.hpp"

namespace article {

std::vector<std::string> keywords(const Document& document, std::size_t count) {
  const WordCounts counts = word_counts(document);
  std::vector<std::pair<std::string, std::uint64_t>> ranked(std::min(count, counts.size()));
  std::partial_sort_copy(counts.begin(), counts.end(), ranked.begin(), ranked.end(),
                         [](const auto& a, const auto& b) {
                           return a.second != b.second ? a.second > b.second : a.first < b.first;
                         });
  std::vector<std::string> words;
  for (auto& [word, times] : ranked) words.push_back(std::move(word));
  return words;
}

}  // namespace article
