#include "summary.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <utility>

#include "character.hpp"
#include "words.hpp"

namespace article {
namespace {

constexpr std::uint64_t words_min = 8;
constexpr std::array abbreviations =
    std::to_array<std::string_view>({"approx", "ca", "cf", "dr", "e.g", "etc", "fig", "i.e", "mr",
                                     "mrs", "ms", "prof", "st", "vs"});

// These characters belong to the sentence before them.
constexpr std::array closing_marks =
    std::to_array<std::string_view>({"\"", "'", ")", "]", "\u201D", "\u2019", "\u00BB"});

std::size_t closing_size(std::string_view text) {
  const auto mark =
      std::ranges::find_if(closing_marks, [&](auto closing) { return text.starts_with(closing); });
  return mark == closing_marks.end() ? 0 : mark->size();
}

/// Whether a mark ends the sentence; captions and rows of tables have no such mark.
bool is_whole(std::string_view sentence) {
  while (true) {
    const auto mark = std::ranges::find_if(
        closing_marks, [&](auto closing) { return sentence.ends_with(closing); });
    if (mark == closing_marks.end()) break;
    sentence.remove_suffix(mark->size());
  }
  return sentence.ends_with('.') || sentence.ends_with('!') || sentence.ends_with('?');
}

/// Whether the dot after `text` belongs to its last word: "e.g", "J".
bool is_abbreviated(std::string_view text) {
  const std::size_t begin = text.find_last_of(" (") + 1;
  const std::string word = lower(text.substr(begin));
  return (word.size() == 1 && is_letter(word[0])) ||
         std::ranges::find(abbreviations, word) != abbreviations.end();
}

struct Candidate {
  std::string text;
  std::uint64_t score = 0;
  std::uint64_t words = 0;
  std::size_t place = 0;
};

bool says_more(const Candidate& a, const Candidate& b) {
  const std::uint64_t left = a.score * b.words;  // a.score / a.words against b.score / b.words
  const std::uint64_t right = b.score * a.words;
  return left != right ? left > right : a.place < b.place;
}

/// How many times the different words of a sentence occur in the document.
std::uint64_t weight(const std::vector<std::string>& sentence, const WordCounts& counts) {
  std::uint64_t sum = 0;
  for (const std::string& word : std::set(sentence.begin(), sentence.end())) {
    if (const auto known = counts.find(word); known != counts.end()) sum += known->second;
  }
  return sum;
}

std::vector<Candidate> candidates(const Document& document, std::string_view kind) {
  const WordCounts counts = word_counts(document);
  std::vector<Candidate> found;
  for (const Block& block : document.blocks) {
    if (block.kind != kind) continue;
    for (std::string& sentence : sentences(block.text)) {
      const std::vector<std::string> all = words(sentence);
      Candidate candidate{std::move(sentence), 0, std::max<std::uint64_t>(all.size(), words_min),
                          found.size()};
      if (is_whole(candidate.text)) candidate.score = weight(all, counts);
      found.push_back(std::move(candidate));
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> sentences(std::string_view paragraph) {
  std::vector<std::string> found;
  std::size_t begin = 0;
  const auto end_sentence = [&](std::size_t end) {
    std::string sentence = collapsed(paragraph.substr(begin, end - begin));
    if (!sentence.empty()) found.push_back(std::move(sentence));
    begin = end;
  };
  for (std::size_t at = 0; at < paragraph.size(); ++at) {
    const char mark = paragraph[at];
    if (mark != '.' && mark != '!' && mark != '?') continue;
    std::size_t end = at + 1;
    while (const std::size_t size = closing_size(paragraph.substr(end))) end += size;
    if (end == paragraph.size() || !is_space(paragraph[end])) continue;
    const std::size_t next = paragraph.find_first_not_of(" \t\n", end);
    const bool goes_on =
        next != std::string_view::npos && paragraph[next] >= 'a' && paragraph[next] <= 'z';
    if (goes_on || (mark == '.' && is_abbreviated(paragraph.substr(begin, at - begin)))) continue;
    end_sentence(end);
  }
  end_sentence(paragraph.size());
  return found;
}

std::vector<std::string> summary(const Document& document, std::size_t count) {
  std::vector<Candidate> all = candidates(document, "paragraph");
  if (all.empty()) all = candidates(document, "item");
  const auto chosen = all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()));
  std::partial_sort(all.begin(), chosen, all.end(), says_more);
  all.erase(chosen, all.end());
  std::ranges::sort(all, {}, &Candidate::place);
  std::vector<std::string> texts;
  for (Candidate& candidate : all) texts.push_back(std::move(candidate.text));
  return texts;
}

}  // namespace article
