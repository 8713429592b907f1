#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "unit/plugins/flow_run.hpp"
#include "unit/plugins/repo_search/test_repository.hpp"

namespace {

using weir::testing::FlowRun;
using weir::testing::TemporaryFolder;
using weir::testing::TestRepository;

std::string run(const std::filesystem::path& repository, const std::string& text,
                const std::string& ref = "HEAD") {
  return FlowRun(boost::json::serialize(boost::json::object{
                     {"repository", repository.string()}, {"text", text}, {"ref", ref}}))
      .result();
}

}  // namespace

TEST_SUITE("plugins: repo_search") {
  TEST_CASE("the report tells every line that holds the text") {
    TestRepository repository;
    const std::string commit =
        repository.commit({{"b.txt", "no river\nthe weir and the weir\nweir"},
                           {"a.txt", "A weir.\n"},
                           {"none.txt", "nothing\n"},
                           {"binary", std::string("weir\0", 5)}});
    CHECK(run(repository.path(), "weir") ==
          R"({"commit":")" + commit +
              R"(","clones":1,"files":3,"binary":1,"count":4,"hits":[)"
              R"({"path":"a.txt","count":1,"lines":[{"line":1,"count":1,"text":"A weir."}]},)"
              R"({"path":"b.txt","count":3,"lines":[)"
              R"({"line":2,"count":2,"text":"the weir and the weir"},)"
              R"({"line":3,"count":1,"text":"weir"}]}]})");
  }

  TEST_CASE("a commit that came after the clone is fetched") {
    TestRepository repository;
    repository.commit({{"a.txt", "old\n"}});
    FlowRun flow(R"({"repository": ")" + repository.path().string() + R"(", "text": "new"})");
    CHECK(flow.result().contains(R"("count":0)"));
    repository.commit({{"a.txt", "new\n"}});
    const std::string report = flow.result();
    CHECK(report.contains(R"("clones":1)"));
    CHECK(report.contains(R"("count":1)"));
  }

  TEST_CASE("a commit is found by branch and by id") {
    TestRepository repository;
    const std::string first = repository.commit({{"a.txt", "old\n"}});
    repository.commit({{"a.txt", "new\n"}});
    CHECK(run(repository.path(), "old", first).contains(R"("count":1)"));
    CHECK(run(repository.path(), "old", "main").contains(R"("count":0)"));
    CHECK(run(repository.path(), "old", "no_such") ==
          "resolve: no_commit: " + repository.path().string() + " has no commit no_such");
  }

  TEST_CASE("a commit without files has a report") {
    TestRepository repository;
    const std::string commit = repository.commit({});
    CHECK(run(repository.path(), "weir") ==
          R"({"commit":")" + commit + R"(","clones":1,"files":0,"binary":0,"count":0,"hits":[]})");
  }

  TEST_CASE("a folder that is no repository is told by libgit2's words") {
    const TemporaryFolder folder;
    const std::string failed = run(folder.path(), "weir");
    CHECK(failed.starts_with("resolve: refused: cannot clone " + folder.path().string() + ": "));
  }

  TEST_CASE("an input that cannot be searched for fails for good") {
    CHECK(run("/nowhere", "") == "resolve: bad_text: text is to be one line, and not empty");
    CHECK(run("some/folder", "weir") ==
          "resolve: bad_repository: repository is to be the absolute path of a folder");
  }
}
