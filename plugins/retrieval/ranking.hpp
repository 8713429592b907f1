#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace retrieval {

/// How a document matches a query.
struct Match {
  std::string path;
  std::int64_t words = 0;                 ///< of the whole document
  std::int64_t phrases = 0;               ///< how many times it contains the query word by word
  std::vector<std::int64_t> term_counts;  ///< of each term of the query
};

struct Ranked {
  std::string path;
  double score = 0;
};

/// The best `count` documents by Okapi BM25 (k1 1.2, b 0.75), best first, ties by path; documents
/// without any of the terms are left out.
std::vector<Ranked> by_relevance(const std::vector<Match>& documents, std::size_t count);

/// The documents that contain the query as a phrase, most frequent first, ties by path.
std::vector<Ranked> by_phrase(const std::vector<Match>& documents, std::size_t count);

}  // namespace retrieval
