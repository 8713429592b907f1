#include "terms.hpp"

#include <algorithm>

namespace retrieval {
namespace {

bool is_of_a_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

char lowered(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = std::find_if(at, text.end(), is_of_a_word);
    at = std::find_if_not(begin, text.end(), is_of_a_word);
    if (begin == at) break;
    std::string& term = terms.emplace_back(begin, at);
    std::ranges::transform(term, term.begin(), lowered);
  }
  return terms;
}

std::size_t occurrences(const std::vector<std::string>& words,
                        const std::vector<std::string>& phrase) {
  if (phrase.empty()) return 0;
  std::size_t count = 0;
  for (auto at = words.begin();; ++at, ++count) {
    at = std::search(at, words.end(), phrase.begin(), phrase.end());
    if (at == words.end()) return count;
  }
}

}  // namespace retrieval
