#include "plugins/article/summary.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "plugins/article/keywords.hpp"
#include "plugins/article/words.hpp"

namespace {

using article::Document;
using article::keywords;
using article::sentences;
using article::summary;
using article::words;
using Texts = std::vector<std::string>;

}  // namespace

TEST_SUITE("plugins: summary") {
  TEST_CASE("words are runs of letters in lower case") {
    CHECK(words("The WEIR's crest, the millers' 2 weirs: don't "
                "\u201C\u00C9t\u00E9\u201D\u2014na\u00EFve o\u2019clock") ==
          Texts{"the", "weir", "crest", "the", "millers", "weirs", "don't", "\u00E9t\u00E9",
                "na\u00EFve", "o'clock"});
    CHECK(words("12 '' ' 's \u00D7 \xFF x\xC3") == Texts{"s", "x"});
  }

  TEST_CASE("sentences end where a new one can begin") {
    CHECK(sentences("One. Two! Three? \u201CFour.\u201D (Five.) Six") ==
          Texts{"One.", "Two!", "Three?", "\u201CFour.\u201D", "(Five.)", "Six"});
    CHECK(sentences("At 3.5 m, e.g. Dr. J. Weir of St. Ives (cf. Fig. 2) stops... and goes on. "
                    "Then 2 more.") ==
          Texts{"At 3.5 m, e.g. Dr. J. Weir of St. Ives (cf. Fig. 2) stops... and goes on.",
                "Then 2 more."});
    CHECK(sentences("").empty());
    CHECK(sentences(" . ") == Texts{"."});
  }

  TEST_CASE("the sentences with the most frequent words are the summary in the order of the text") {
    const Document document{"",
                            {{"paragraph",
                              "Nothing in this opening tells anything of note to readers. A weir "
                              "turns the river into a pool."},
                             {"code", "weather weather weather weather"},
                             {"paragraph",
                              "The weather was fine on that particular morning in early spring. A "
                              "river needs no weir but a "
                              "weir needs its river."},
                             {"item", "weir river weir river weir river weir river"}}};
    CHECK(summary(document, 2) == Texts{"A weir turns the river into a pool.",
                                        "A river needs no weir but a weir needs its river."});
    CHECK(summary(document, 9).size() == 4);
    CHECK(keywords(document, 3) == Texts{"river", "weir", "early"});
  }

  TEST_CASE("ties go to the earlier sentence") {
    const Document document{"", {{"paragraph", "Alpha beta. Gamma delta. Epsilon zeta."}}};
    CHECK(summary(document, 2) == Texts{"Alpha beta.", "Gamma delta."});
  }

  TEST_CASE("what has no mark at its end is chosen last") {
    const Document document{
        "",
        {{"paragraph", "Weir weir weir"}, {"paragraph", "One is \u201Cenough.\u201D (Dams too!)"}}};
    CHECK(summary(document, 2) == Texts{"One is \u201Cenough.\u201D", "(Dams too!)"});
    CHECK(summary(document, 3).front() == "Weir weir weir");
  }

  TEST_CASE("a document without paragraphs is summed up by its items and an empty one by nothing") {
    CHECK(summary({"", {{"heading", "A"}, {"item", "Only this."}}}) == Texts{"Only this."});
    CHECK(summary({"", {{"heading", "A"}}}).empty());
    CHECK(summary({}).empty());
    CHECK(keywords({}).empty());
  }

  TEST_CASE("keywords are no stop words and ties come in ascending order") {
    const Document document{
        "", {{"heading", "The weirs and it"}, {"paragraph", "weirs zinc the the of apple don't"}}};
    CHECK(keywords(document) == Texts{"weirs", "apple", "zinc"});
  }
}
