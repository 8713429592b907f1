#include "ranking.hpp"

#include <algorithm>
#include <cmath>

namespace retrieval {
namespace {

void keep_best(std::vector<Ranked>& ranked, std::size_t count) {
  std::erase_if(ranked, [](const Ranked& document) { return document.score <= 0; });
  std::ranges::sort(ranked, [](const Ranked& a, const Ranked& b) {
    return a.score != b.score ? a.score > b.score : a.path < b.path;
  });
  if (ranked.size() > count) ranked.resize(count);
}

}  // namespace

std::vector<Ranked> by_relevance(const std::vector<Match>& documents, std::size_t count) {
  if (documents.empty()) return {};
  constexpr double k1 = 1.2, b = 0.75;
  const auto all = static_cast<double>(documents.size());
  double words = 0;
  for (const Match& document : documents) words += static_cast<double>(document.words);
  const double mean_words = std::max(1.0, words / all);

  std::vector<Ranked> ranked;
  for (const Match& document : documents) ranked.push_back({document.path, 0});
  for (std::size_t term = 0; term < documents.front().term_counts.size(); ++term) {
    const auto having = static_cast<double>(std::ranges::count_if(
        documents, [&](const Match& document) { return document.term_counts[term] > 0; }));
    const double weight = std::log(1 + (all - having + 0.5) / (having + 0.5));
    for (std::size_t i = 0; i < documents.size(); ++i) {
      const auto times = static_cast<double>(documents[i].term_counts[term]);
      const double length = static_cast<double>(documents[i].words) / mean_words;
      ranked[i].score += weight * times * (k1 + 1) / (times + k1 * (1 - b + b * length));
    }
  }
  keep_best(ranked, count);
  return ranked;
}

std::vector<Ranked> by_phrase(const std::vector<Match>& documents, std::size_t count) {
  std::vector<Ranked> ranked;
  for (const Match& document : documents)
    ranked.push_back({document.path, static_cast<double>(document.phrases)});
  keep_best(ranked, count);
  return ranked;
}

}  // namespace retrieval
