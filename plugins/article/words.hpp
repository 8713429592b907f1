#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "document.hpp"

namespace article {

/// The words of a text in lower case: runs of letters, apostrophes within them included ("don't"),
/// a
/// final "'s" cut off. ASCII and Latin letters are lowered, others stay as they are.
std::vector<std::string> words(std::string_view text);

/// Whether a word is too common to show what a text is about: "the", "don't", and words of one or
/// two letters of ASCII.
bool is_stop_word(std::string_view word);

/// How many times each word that is no stop word occurs in the prose of a document; code is no
/// prose.
using WordCounts = std::map<std::string, std::uint64_t, std::less<>>;
WordCounts word_counts(const Document& document);

}  // namespace article
