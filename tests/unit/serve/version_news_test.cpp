#include "serve/version_news.hpp"

#include <doctest/doctest.h>

using namespace weir;

namespace {

// A process that has version `mine` of flow "shop" for new runs.
struct News {
  VersionNews news;
  std::vector<VersionReport> versions = {
      {.flow = "shop", .number = 2, .fingerprint = "bb", .workers = 1, .takes_starts = true},
      {.flow = "shop", .number = 1, .fingerprint = "aa", .workers = 1}};

  std::string told(std::vector<RegisteredVersion> registered) {
    std::string text;
    for (const VersionNews::Line& line : news.update(registered, versions))
      text += (line.level == LogLevel::warn ? "warning: " : "") + line.text + '\n';
    return text;
  }
  std::string told(const std::string& mine) {
    return told({{.flow = "shop", .fingerprint = mine}});
  }
};

}  // namespace

TEST_SUITE("serve: news of versions") {
  TEST_CASE("V5: a process that has what new runs take has nothing to say") {
    News a;
    CHECK(a.told("bb").empty());
    CHECK(a.told({{.flow = "shop", .fingerprint = "bb"},
                  {.flow = "shop", .fingerprint = "aa", .newest = false}})
              .empty());
    CHECK(a.told({{.flow = "other", .fingerprint = "cc"}}).empty());
  }

  TEST_CASE("V5: that new runs take another version is said once") {
    News a;
    const std::string line = "flow shop: new runs take version 2; this process has version 1\n";
    CHECK(a.told("aa") == line);
    CHECK(a.told("aa").empty());
    CHECK(a.told("bb").empty());
    CHECK(a.told("aa") == line);
  }

  TEST_CASE("V5: a version that was rolled back is said and what waits for it") {
    News a;
    a.versions[0].workers = 0;
    a.versions[0].takes_starts = false;
    a.versions[0].open_runs = 3;
    a.versions[1].takes_starts = true;
    CHECK(a.told("aa") ==
          "flow shop: new runs take version 1, not version 2, which no live worker has for new "
          "runs\n"
          "warning: flow shop: 3 open runs wait for version 2, which no live worker has (install "
          "its plugin again, or move them: weir flows adopt shop --from 2 --to 1)\n");
    a.versions[0].open_runs = 4;
    CHECK(a.told("aa").empty());
  }
}
