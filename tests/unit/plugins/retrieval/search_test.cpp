#include <doctest/doctest.h>

#include "plugins/retrieval/ranking.hpp"
#include "plugins/retrieval/terms.hpp"

using namespace retrieval;

namespace {

Match document(std::string path, std::int64_t words, std::vector<std::int64_t> counts) {
  return {.path = std::move(path), .words = words, .phrases = 0, .term_counts = std::move(counts)};
}

std::string paths(const std::vector<Ranked>& ranked) {
  std::string all;
  for (const Ranked& each : ranked) all += each.path + " ";
  return all;
}

}  // namespace

TEST_SUITE("plugins: retrieval") {
  TEST_CASE("terms are runs of letters and digits in lower case") {
    CHECK(terms_of("Free software: version 3.0!") ==
          std::vector<std::string>{"free", "software", "version", "3", "0"});
    CHECK(terms_of("Größe") == std::vector<std::string>{"größe"});
    CHECK(terms_of(" \n,.").empty());
  }

  TEST_CASE("a phrase is counted where its words follow one another") {
    CHECK(occurrences(terms_of("to be, or not to be"), terms_of("to be")) == 2);
    CHECK(occurrences(terms_of("a a a"), terms_of("a a")) == 2);
    CHECK(occurrences(terms_of("be to"), terms_of("to be")) == 0);
    CHECK(occurrences(terms_of("be to"), {}) == 0);
  }

  TEST_CASE("the rarer term and the shorter document weigh more") {
    // "rare" stands in one document of three, "common" in all.
    const auto ranked =
        by_relevance({document("common only", 100, {5, 0}), document("rare too", 100, {1, 1}),
                      document("long", 1000, {5, 0})},
                     3);
    CHECK(paths(ranked) == "rare too common only long ");
  }

  TEST_CASE("documents without a match are left out and ties go by path") {
    CHECK(paths(by_relevance(
              {document("b", 10, {1}), document("a", 10, {1}), document("c", 10, {0})}, 5)) ==
          "a b ");
    CHECK(paths(by_relevance({document("b", 10, {1}), document("a", 10, {1})}, 1)) == "a ");
    CHECK(by_relevance({}, 5).empty());
  }
}
