#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <weir/flow.hpp>

#include "ranking.hpp"
#include "terms.hpp"

namespace retrieval {

WEIR_JSON(Match, path, words, phrases, term_counts)
WEIR_JSON(Ranked, path, score)

namespace {

struct Query {
  std::string folder;
  std::string query;
  std::int64_t count;
};
WEIR_JSON(Query, folder, query, count)

struct Found {
  std::int64_t found;
  std::vector<Ranked> documents;
};
WEIR_JSON(Found, found, documents)

struct Matched {
  std::vector<Match> match;
};
WEIR_JSON(Matched, match)

struct Unanswered {
  std::vector<Match> match;
  Found exact;
};
WEIR_JSON(Unanswered, match, exact)

struct Answers {
  Found exact;
  std::optional<Found> ranked;  // skipped where the exact search found something
};
WEIR_JSON(Answers, exact, ranked)

struct Answer {
  std::string how;
  std::vector<Ranked> documents;
};
WEIR_JSON(Answer, how, documents)

std::size_t count_of(const weir::Context& context) {
  return static_cast<std::size_t>(std::max<std::int64_t>(1, context.flow_input<Query>().count));
}

std::vector<std::string> list(weir::Context& context, const Query& query) {
  if (terms_of(query.query).empty())
    throw weir::permanent("empty_query", "the query has no word to look for");
  std::vector<std::string> paths;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(query.folder, error);
  if (error)
    throw weir::permanent("no_folder", "cannot list " + query.folder + ": " + error.message());
  for (const std::filesystem::recursive_directory_iterator end; entry != end;
       entry.increment(error)) {
    context.check();
    if (error)
      throw weir::permanent("no_folder", "cannot list " + query.folder + ": " + error.message());
    if (entry->is_regular_file()) paths.push_back(entry->path().string());
  }
  std::ranges::sort(paths);
  return paths;
}

Match match(weir::Context& context, const std::string& path) {
  const Query query = context.flow_input<Query>();
  std::ifstream file(path, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::vector<std::string> words = terms_of(text);
  std::vector<std::string> terms = terms_of(query.query);
  Match match{.path = path,
              .words = static_cast<std::int64_t>(words.size()),
              .phrases = static_cast<std::int64_t>(occurrences(words, terms)),
              .term_counts = {}};
  std::ranges::sort(terms);
  terms.erase(std::ranges::unique(terms).begin(), terms.end());
  for (const std::string& term : terms)
    match.term_counts.push_back(std::ranges::count(words, term));
  return match;
}

Found found(std::vector<Ranked> documents) {
  const auto count = static_cast<std::int64_t>(documents.size());
  return {count, std::move(documents)};
}

Found exact(weir::Context& context, const Matched& input) {
  return found(by_phrase(input.match, count_of(context)));
}

Found ranked(weir::Context& context, const Unanswered& input) {
  return found(by_relevance(input.match, count_of(context)));
}

Answer answer(weir::Context&, const Answers& input) {
  if (input.ranked) return {"by relevance: the phrase stands nowhere", input.ranked->documents};
  return {"by phrase", input.exact.documents};
}

}  // namespace

WEIR_FLOW(retrieval, "examples.Retrieval", step<list>("list"),
          map<match>("match").over("list").timeout(10min), step<exact>("exact").after("match"),
          step<ranked>("ranked").after("match", "exact").only_if(R"({"exact": {"found": 0}})"),
          step<answer>("answer").after("exact", "ranked"))
WEIR_PLUGIN(retrieval)

}  // namespace retrieval
