#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include <weir/testing/flow_runner.hpp>

#include "support/temporary_folder.hpp"

using weir::testing::FlowRunner;
using weir::testing::TemporaryFolder;

namespace {

class Library {
 public:
  Library() {
    std::ofstream(folder_.path() / "a.txt") << "the quick brown fox jumps";
    std::ofstream(folder_.path() / "b.txt") << "a fox is quick and a dog is brown and slow";
    std::ofstream(folder_.path() / "c.txt") << "nothing of the kind";
  }
  auto search(const std::string& query) const {
    return FlowRunner(weir_plugin_v1)
        .run(R"({"folder": ")" + folder_.path().string() + R"(", "query": ")" + query +
             R"(", "count": 5})");
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_SUITE("plugins: retrieval") {
  TEST_CASE("F7: a phrase that is found needs no ranking") {
    const Library library;
    const auto run = library.search("brown fox");
    CHECK(run.output().contains("by phrase"));
    CHECK(run.output().contains("a.txt"));
    CHECK_FALSE(run.output().contains("b.txt"));
    CHECK(run.attempts("ranked").empty());
  }

  TEST_CASE("P2: words that stand apart are ranked and the answer is given both") {
    const Library library;
    const auto run = library.search("fox brown");
    CHECK(run.output().contains("by relevance"));
    CHECK(run.output().contains("a.txt"));
    CHECK(run.output().contains("b.txt"));
    CHECK_FALSE(run.output().contains("c.txt"));
  }

  TEST_CASE("a query without a word fails for good") {
    const Library library;
    CHECK(library.search("?!").error() ==
          "step \"list\" failed for good: the query has no word to look for");
  }
}
