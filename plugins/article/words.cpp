#include "words.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "character.hpp"

namespace article {
namespace {

constexpr char32_t curly_apostrophe = 0x2019;

/// Letters, as far as they matter here: characters that are neither ASCII nor Latin-1 punctuation,
/// nor in the blocks of punctuation and symbols.
bool is_letter_code(char32_t code) {
  if (code < 0x80) return is_letter(static_cast<char>(code));
  if (code < 0xC0) return code == 0xAA || code == 0xB5 || code == 0xBA;
  const bool symbol = code == 0xD7 || code == 0xF7 || (code >= 0x2000 && code <= 0x2BFF) ||
                      (code >= 0x3000 && code <= 0x303F) || (code >= 0xE000 && code <= 0xF8FF) ||
                      (code >= 0xFE00 && code <= 0xFE6F) || (code >= 0xFFF0 && code <= 0xFFFF) ||
                      (code >= 0x1F000 && code <= 0x1FAFF);
  return !symbol;
}

char32_t lower_code(char32_t code) {
  if (code < 0x80) return static_cast<unsigned char>(lower(static_cast<char>(code)));
  const bool latin_1 = code >= 0xC0 && code <= 0xDE && code != 0xD7;
  return latin_1 ? code + 0x20 : code;
}

constexpr std::array stop_words = std::to_array<std::string_view>(
    {"about",     "above",      "after",     "again",    "against",   "all",     "almost",
     "along",     "already",    "also",      "although", "always",    "among",   "and",
     "another",   "any",        "anything",  "are",      "aren't",    "around",  "away",
     "back",      "became",     "because",   "become",   "becomes",   "been",    "before",
     "being",     "below",      "between",   "both",     "but",       "called",  "came",
     "can",       "can't",      "cannot",    "come",     "comes",     "could",   "couldn't",
     "did",       "didn't",     "does",      "doesn't",  "doing",     "don't",   "done",
     "down",      "during",     "each",      "either",   "else",      "even",    "ever",
     "every",     "everything", "far",       "few",      "first",     "for",     "from",
     "further",   "gave",       "get",       "gets",     "give",      "given",   "goes",
     "going",     "gone",       "got",       "had",      "hadn't",    "has",     "hasn't",
     "have",      "haven't",    "having",    "her",      "here",      "hers",    "herself",
     "him",       "himself",    "his",       "how",      "however",   "into",    "isn't",
     "its",       "itself",     "just",      "keep",     "kept",      "know",    "known",
     "last",      "later",      "least",     "less",     "let",       "like",    "likely",
     "long",      "made",       "make",      "makes",    "making",    "many",    "may",
     "maybe",     "might",      "more",      "most",     "much",      "must",    "near",
     "need",      "needs",      "neither",   "never",    "next",      "nor",     "not",
     "nothing",   "now",        "off",       "often",    "once",      "one",     "ones",
     "only",      "onto",       "other",     "others",   "our",       "ours",    "ourselves",
     "out",       "over",       "own",       "per",      "perhaps",   "put",     "quite",
     "rather",    "said",       "same",      "say",      "says",      "see",     "seen",
     "several",   "shall",      "she",       "should",   "shouldn't", "since",   "some",
     "something", "soon",       "still",     "such",     "take",      "taken",   "takes",
     "than",      "that",       "the",       "their",    "theirs",    "them",    "themselves",
     "then",      "there",      "therefore", "these",    "they",      "thing",   "things",
     "this",      "those",      "though",    "three",    "through",   "thus",    "together",
     "too",       "took",       "toward",    "towards",  "two",       "under",   "until",
     "upon",      "use",        "used",      "uses",     "using",     "very",    "was",
     "wasn't",    "way",        "well",      "went",     "were",      "weren't", "what",
     "when",      "where",      "whether",   "which",    "while",     "who",     "whole",
     "whom",      "whose",      "why",       "will",     "with",      "within",  "without",
     "won't",     "would",      "wouldn't",  "yes",      "yet",       "you",     "your",
     "yours",     "yourself"});
static_assert(std::ranges::is_sorted(stop_words));

}  // namespace

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> found;
  std::string word;
  const auto end_word = [&] {
    while (word.ends_with('\'')) word.pop_back();
    if (word.ends_with("'s")) word.resize(word.size() - 2);
    if (!word.empty()) found.push_back(std::move(word));
    word.clear();
  };
  while (!text.empty()) {
    const Character next = first_character(text);
    text.remove_prefix(std::max<std::size_t>(next.size, 1));
    const bool apostrophe = next.code == '\'' || next.code == curly_apostrophe;
    if (next.size != 0 && is_letter_code(next.code)) {
      append(word, lower_code(next.code));
    } else if (apostrophe && !word.empty()) {
      word.push_back('\'');
    } else {
      end_word();
    }
  }
  end_word();
  return found;
}

bool is_stop_word(std::string_view word) {
  const bool ascii =
      std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return (ascii && word.size() <= 2) || std::ranges::binary_search(stop_words, word);
}

WordCounts word_counts(const Document& document) {
  WordCounts counts;
  for (const Block& block : document.blocks) {
    if (block.kind == "code") continue;
    for (std::string& word : words(block.text)) {
      if (!is_stop_word(word)) ++counts[std::move(word)];
    }
  }
  return counts;
}

}  // namespace article
